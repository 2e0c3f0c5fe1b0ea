"""Roles allow what the table says, together when a person has several."""

from agentversions.core.roles import Permission, Role, permissions_of


def test_only_editors_and_admins_edit() -> None:
    assert {role for role in Role if Permission.EDIT in permissions_of([role])} == {Role.EDITOR, Role.ADMIN}


def test_only_operators_and_admins_route() -> None:
    assert {role for role in Role if Permission.ROUTE in permissions_of([role])} == {Role.OPERATOR, Role.ADMIN}


def test_only_call_reviewers_and_admins_see_what_is_personal_in_calls() -> None:
    assert {role for role in Role if Permission.LISTEN in permissions_of([role])} == {Role.CALL_REVIEWER, Role.ADMIN}
    assert permissions_of([Role.CALL_REVIEWER]) == {Permission.READ, Permission.LISTEN}


def test_everybody_with_a_role_reads_and_nobody_without() -> None:
    assert all(Permission.READ in permissions_of([role]) for role in Role)
    assert permissions_of([]) == frozenset()
    assert permissions_of(["emperor"]) == frozenset()


def test_several_roles_add_up() -> None:
    assert permissions_of(["editor", "operator"]) == {Permission.READ, Permission.EDIT, Permission.ROUTE}
