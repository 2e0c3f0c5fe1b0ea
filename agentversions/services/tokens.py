"""Tokens of machines: made and shown once, found by their SHA-256, revoked, never deleted."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from agentversions.core.roles import Permission, Role, permissions_of
from agentversions.models import ApiToken, User
from agentversions.models.people import SCOPE_CHOICES

from .audit import record
from .errors import NotAllowed, TokenRefused

MARK = "av_"
"""Every token starts with it, so that a scanner of source code recognises a leaked one."""
PREFIX_LENGTH = 10
USE_IS_NOTED_EVERY = timedelta(minutes=1)
SCOPES = tuple(scope for scope, _ in SCOPE_CHOICES)


@dataclass(frozen=True)
class MadeToken:
    """A new token with its secret, which nothing keeps: whoever made it copies it now or never."""

    token: ApiToken
    secret: str


@transaction.atomic
def make_token(
    *, name: str, roles: list[str], scopes: list[str], expires_at: datetime | None = None, owner: User, actor: User
) -> MadeToken:
    """A new token that acts for its owner. Raises TokenRefused with a sentence, NotAllowed for whoever is no admin."""
    _refuse_unless_admin(actor)
    _refuse_wrong(name, roles, scopes, expires_at, owner)
    secret = MARK + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        name=" ".join(name.split()),
        digest=_digest_of(secret),
        prefix=secret[:PREFIX_LENGTH],
        roles=sorted(set(roles)),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
        owner=owner,
    )
    token.refresh_from_db(fields=["created_at"])
    after = {"roles": token.roles, "scopes": token.scopes, "owner": owner.username}
    record(
        action="token made", subject_kind="token", subject=str(token.pk), reason=token.name, after=after, actor=actor
    )
    return MadeToken(token, secret)


@transaction.atomic
def revoke_token(*, token: ApiToken, actor: User) -> ApiToken:
    """From now on the token opens nothing; revoking it again changes nothing. Raises NotAllowed."""
    _refuse_unless_admin(actor)
    locked = ApiToken.objects.select_for_update().get(pk=token.pk)
    if locked.revoked_at is None:
        locked.revoked_at = timezone.now()
        locked.save(update_fields=["revoked_at"])
        record(action="token revoked", subject_kind="token", subject=str(token.pk), reason=locked.name, actor=actor)
    return locked


def find_token(secret: str) -> ApiToken | None:
    """The valid token of a secret; None for one that is unknown, revoked, expired or whose owner left, all alike.

    The secret is only ever compared as a SHA-256 through a unique index, so an answer's time tells nothing about it.
    """
    token = ApiToken.objects.select_related("owner").filter(digest=_digest_of(secret)).first()
    return token if token is not None and token.is_valid else None


def note_use(token: ApiToken) -> None:
    """Remember when a token was last used, written at most once a minute."""
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at <= now - USE_IS_NOTED_EVERY:
        is_due = Q(last_used_at=None) | Q(last_used_at__lte=now - USE_IS_NOTED_EVERY)
        ApiToken.objects.filter(is_due, pk=token.pk).update(last_used_at=now)


def _digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _refuse_unless_admin(actor: User) -> None:
    if not actor.allows(Permission.ADMINISTER):
        raise NotAllowed("Only an admin makes or revokes tokens. Ask one.")


def _refuse_wrong(name: str, roles: list[str], scopes: list[str], expires_at: datetime | None, owner: User) -> None:
    if not name.strip():
        raise TokenRefused("Give the token a name that says what uses it.")
    if len(name) > 100 or "\x00" in name:
        raise TokenRefused("The name has more than 100 characters, or one that cannot be stored. Change it.")
    if not roles or (unknown := sorted(set(roles) - set(Role))):
        raise TokenRefused(f"Choose a role: {', '.join(Role)}." if not roles else f"There is no role “{unknown[0]}”.")
    if not scopes or (unknown := sorted(set(scopes) - set(SCOPES))):
        raise TokenRefused(
            f"Choose a scope: {', '.join(SCOPES)}." if not scopes else f"There is no scope “{unknown[0]}”."
        )
    if expires_at is not None and expires_at <= timezone.now():
        raise TokenRefused("The token would have expired already. Choose a later day.")
    missing = permissions_of(roles) - {permission for permission in Permission if owner.allows(permission)}
    if missing:
        raise TokenRefused(
            f"A token never may more than its owner, and {owner} may not {min(missing)}. "
            "Choose another role or another owner."
        )
