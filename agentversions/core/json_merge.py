"""JSON Merge Patch (RFC 7396): the usual way to send only what changes."""

from typing import Any


def merge_patch(target: Any, patch: Any) -> Any:
    """The target with the patch merged in: objects merge, null removes a key, everything else (a list too) replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged
