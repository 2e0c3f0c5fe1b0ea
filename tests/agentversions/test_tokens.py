"""Tokens: shown once, stored as SHA-256, limited by role, scope, time and owner, and revoked for good."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from agentversions.core.roles import Permission
from agentversions.models import ApiToken
from agentversions.services.errors import NotAllowed, TokenRefused
from agentversions.services.tokens import find_token, make_token, note_use, revoke_token
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_only_the_sha_256_is_stored() -> None:
    admin = make_user("admin")
    made = make_token(name="export", roles=["viewer"], scopes=["read"], owner=admin, actor=admin)
    assert made.secret.startswith("av_")
    assert made.secret not in str(ApiToken.objects.values().get())
    assert find_token(made.secret) == made.token
    assert find_token(made.secret + "x") is None


def test_a_revoked_expired_or_orphaned_token_opens_nothing() -> None:
    admin, owner = make_user("admin"), make_user("editor")
    revoked = make_token(name="a", roles=["viewer"], scopes=["read"], owner=owner, actor=admin)
    revoke_token(token=revoked.token, actor=admin)
    expired = make_token(
        name="b",
        roles=["viewer"],
        scopes=["read"],
        expires_at=timezone.now() + timedelta(days=1),
        owner=owner,
        actor=admin,
    )
    ApiToken.objects.filter(pk=expired.token.pk).update(expires_at=timezone.now())
    orphan = make_token(name="c", roles=["viewer"], scopes=["read"], owner=owner, actor=admin)
    owner.is_active = False
    owner.save()
    assert [find_token(made.secret) for made in (revoked, expired, orphan)] == [None, None, None]


def test_role_scope_and_owner_all_must_allow_it() -> None:
    admin, editor = make_user("admin"), make_user("editor")
    token = make_token(name="a", roles=["editor"], scopes=["read"], owner=editor, actor=admin).token
    assert token.allows(Permission.READ)
    assert not token.allows(Permission.EDIT)
    writer = make_token(name="b", roles=["editor"], scopes=["write"], owner=editor, actor=admin).token
    assert writer.allows(Permission.EDIT)
    assert not writer.allows(Permission.ROUTE)
    editor.roles = ["viewer"]
    assert not writer.allows(Permission.EDIT)


def test_the_last_use_is_noted_at_most_once_a_minute() -> None:
    admin = make_user("admin")
    token = make_token(name="a", roles=["viewer"], scopes=["read"], owner=admin, actor=admin).token
    note_use(token)
    token.refresh_from_db()
    first = token.last_used_at
    note_use(token)
    token.refresh_from_db()
    assert first is not None
    assert token.last_used_at == first


def test_only_admins_make_tokens_and_never_with_more_than_the_owner_has() -> None:
    admin, editor = make_user("admin"), make_user("editor")
    with pytest.raises(NotAllowed):
        make_token(name="a", roles=["viewer"], scopes=["read"], owner=editor, actor=editor)
    with pytest.raises(TokenRefused, match="never may more than its owner"):
        make_token(name="a", roles=["admin"], scopes=["read"], owner=editor, actor=admin)


def test_the_command_prints_the_token_once() -> None:
    make_user("admin", is_superuser=True)
    out, err = io.StringIO(), io.StringIO()
    call_command("create_token", "nightly", "--role", "viewer", "--scopes", "read", stdout=out, stderr=err)
    assert find_token(out.getvalue().strip()) == ApiToken.objects.get(name="nightly")
    with pytest.raises(CommandError, match="There is no role"):
        call_command("create_token", "x", "--role", "king", "--scopes", "read", stderr=err)


def test_the_page_shows_a_new_token_once_and_revokes_it(client: Client) -> None:
    client.force_login(make_user("admin"))
    form = {"name": "export", "role": "viewer", "scopes": ["read"], "days": "30"}
    made = client.post("/tokens/new/", form)
    assert "av_" in made.content.decode()
    assert made.headers["Cache-Control"] == "no-store"
    token = ApiToken.objects.get()
    assert "export" in client.get("/tokens/").content.decode()
    client.post(f"/tokens/{token.pk}/revoke/")
    token.refresh_from_db()
    assert token.revoked_at is not None


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": ""}, "Say what uses the token."),
        ({"scopes": []}, "Choose at least one scope."),
        ({"days": "0"}, "greater than or equal to 1"),
    ],
)
def test_a_wrong_token_form_says_why(client: Client, fields: dict[str, object], sentence: str) -> None:
    client.force_login(make_user("admin"))
    form = {"name": "export", "role": "viewer", "scopes": ["read"], "days": "", **fields}
    answer = client.post("/tokens/new/", form)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "editor", "operator", "approver"])
def test_only_admins_see_tokens(client: Client, role: str) -> None:
    client.force_login(make_user(role))
    assert client.get("/tokens/").status_code == 403
    assert client.get("/tokens/new/").status_code == 403
