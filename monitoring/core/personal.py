"""Which fields of a call are personal: seen only with a permission of their own, gone once the caller is erased."""

SEEN_BY_REVIEWERS = frozenset({"caller", "summary", "transcript", "recording"})
"""Hidden from whoever may not listen."""
NEVER_AGAIN = SEEN_BY_REVIEWERS | {"called", "analysis"}
"""Erased with the caller, and left out of every later record of the same call. An outbound call's `called` is the
person who was called."""
ERASED_FROM_CORRECTIONS = NEVER_AGAIN | {"error", "ended_reason"}
"""Free words of the sender among them: what a correction replaced may name anybody."""
