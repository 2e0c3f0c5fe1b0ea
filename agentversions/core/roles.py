"""Who may do what: the roles and their permissions, as data."""

from enum import StrEnum


class Role(StrEnum):
    """The roles a person or a token may have; one may have several."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OPERATOR = "operator"
    APPROVER = "approver"
    CALL_REVIEWER = "call-reviewer"
    ADMIN = "admin"

    @property
    def label(self) -> str:
        """As people read it: `Call reviewer`."""
        return self.value.replace("-", " ").capitalize()


class Permission(StrEnum):
    """What can be allowed. Views and API paths name the one they need.

    LISTEN is seeing what is personal in calls: full caller numbers, summaries, transcripts, recordings.
    """

    READ = "read"
    EDIT = "edit"
    ROUTE = "route"
    APPROVE = "approve"
    LISTEN = "listen"
    ADMINISTER = "administer"


PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({Permission.READ}),
    Role.EDITOR: frozenset({Permission.READ, Permission.EDIT}),
    Role.OPERATOR: frozenset({Permission.READ, Permission.ROUTE}),
    Role.APPROVER: frozenset({Permission.READ, Permission.APPROVE}),
    Role.CALL_REVIEWER: frozenset({Permission.READ, Permission.LISTEN}),
    Role.ADMIN: frozenset(Permission),
}


def permissions_of(roles: list[str]) -> frozenset[Permission]:
    """Everything that these roles allow together; an unknown role allows nothing."""
    known = [Role(role) for role in roles if role in set(Role)]
    return frozenset().union(*(PERMISSIONS[role] for role in known))
