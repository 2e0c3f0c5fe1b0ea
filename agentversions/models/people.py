"""The people who sign in, with their roles, and the tokens of machines."""

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from agentversions.core.roles import Permission, Role, permissions_of

ROLE_CHOICES = [(role.value, role.label) for role in Role]
SCOPE_CHOICES = [
    ("read", "Read"),
    ("write", "Write"),
    ("resolve", "Resolve calls"),
    ("flags", "Evaluate flags (OpenFeature)"),
    ("calls", "Send call records"),
    ("metrics", "Read metrics (Prometheus)"),
    ("listen", "Read full callers and transcripts"),
]
_SCOPES = {Permission.READ: "read", Permission.LISTEN: "listen"}


def scope_of(permission: Permission) -> str:
    """The scope that a token needs for a permission: one of its own for reading and for listening, else `write`."""
    return _SCOPES.get(permission, "write")


class User(AbstractUser):
    """A person. Whoever wrote something is deactivated, never deleted: their name stands in the history."""

    roles = ArrayField(models.CharField(max_length=20, choices=ROLE_CHOICES), default=list, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")

    acts_through: "ApiToken | None" = None
    """Set while a token acts for this person: then the token's roles count as well, not only theirs."""

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(
                name="user_roles_are_known",
                condition=models.Q(roles__contained_by=[role.value for role in Role]),
            )
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    def allows(self, permission: Permission) -> bool:
        """Whether this person's roles allow it; superusers may do everything, inactive people nothing."""
        if self.acts_through is not None and permission not in permissions_of(self.acts_through.roles):
            return False
        return self.is_active and (self.is_superuser or permission in permissions_of(self.roles))

    def clean(self) -> None:
        """Refuse unknown roles with a sentence."""
        super().clean()
        unknown = sorted(set(self.roles) - {role.value for role in Role})
        if unknown:
            raise ValidationError({"roles": f"There is no role {unknown[0]}. Choose among {', '.join(Role)}."})


class ApiToken(models.Model):
    """A machine's key. Only its SHA-256 is stored; the token itself is shown once, when it is made."""

    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=12)
    roles = ArrayField(models.CharField(max_length=20, choices=ROLE_CHOICES))
    scopes = ArrayField(models.CharField(max_length=20, choices=SCOPE_CHOICES))
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="tokens")
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_valid(self) -> bool:
        """Neither revoked nor expired, and its owner is still active."""
        is_expired = self.expires_at is not None and self.expires_at <= timezone.now()
        return self.revoked_at is None and not is_expired and self.owner.is_active

    def allows(self, permission: Permission) -> bool:
        """Whether the token's roles and scopes allow it, and its owner's roles still do."""
        is_in_scope = scope_of(permission) in self.scopes
        return is_in_scope and permission in permissions_of(self.roles) and self.owner.allows(permission)
