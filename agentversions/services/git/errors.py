"""What the git services may refuse with. Each message is a sentence that says what to do."""

from agentversions.services.errors import FieldRefused, Refused


class GitFailed(Refused):
    """The repository cannot be reached, or what is in it cannot be read."""


class GitNotConfigured(Refused):
    """No repository is followed yet."""


class GitSuspended(Refused):
    """An admin suspended the sync."""


class GitSettingRefused(FieldRefused):
    """A setting of the repository that cannot be; `field` names it."""
