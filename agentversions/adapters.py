"""How people come in: an admin or single sign-on creates them; nobody signs up by themselves."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.http import HttpRequest

from agentversions.core.roles import Role
from agentversions.models import User


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up with a password is closed."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: an admin creates people."""
        return False


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """Whoever the company's sign-on lets in may read; an admin gives more."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Always: the identity provider decides who comes in."""
        return True

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        """A new person starts as a viewer."""
        person: User = super().save_user(request, sociallogin, form)
        person.roles = [Role.VIEWER]
        person.save(update_fields=["roles"])
        return person
