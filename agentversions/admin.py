"""Django's admin, for superusers: people are edited there; what must not change is only shown."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.http import HttpRequest
from simple_history.admin import SimpleHistoryAdmin

from .models import Agent, AgentVersion, ApiToken, AuditEntry, Configuration, Deployment, LibraryRevision, User
from .services.audit import record
from .views.access import actor_of

NOTED = ("username", "first_name", "last_name", "email", "roles", "time_zone", "is_active", "is_staff", "is_superuser")
"""What the audit log says of a person; groups and single permissions mean nothing here."""


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows rows and changes none; lists do not count the whole table."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows are only made by the services."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is changed here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is deleted here."""
        return False


@admin.register(Configuration)
class ConfigurationAdmin(ReadOnly):
    """Configurations by digest."""

    list_display = ("digest", "created_at")
    search_fields = ("digest__startswith",)


@admin.register(AgentVersion)
class AgentVersionAdmin(ReadOnly):
    """Versions of all agents."""

    list_display = ("agent", "number", "name", "configuration_id", "created_by", "created_at")
    list_select_related = ("agent", "created_by")
    search_fields = ("agent__slug", "name")
    raw_id_fields = ("agent", "configuration", "created_by")


@admin.register(Deployment)
class DeploymentAdmin(ReadOnly):
    """What was made live, when, by whom and why."""

    list_display = ("agent", "version", "is_rollback", "reason", "created_by", "created_at")
    list_select_related = ("agent", "version", "created_by")


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly):
    """The audit trail."""

    list_display = ("at", "actor", "action", "subject_kind", "subject", "reason")
    list_select_related = ("actor",)
    search_fields = ("subject",)


@admin.register(LibraryRevision)
class LibraryRevisionAdmin(ReadOnly):
    """Revisions of library entries."""

    list_display = ("entry", "number", "digest", "created_by", "created_at")
    list_select_related = ("entry", "created_by")


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnly):
    """Tokens of machines; their secrets are not stored."""

    list_display = ("name", "prefix", "roles", "scopes", "owner", "created_at", "last_used_at", "revoked_at")
    list_select_related = ("owner",)
    exclude = ("digest",)


@admin.register(Agent)
class AgentAdmin(ReadOnly, SimpleHistoryAdmin):
    """Agents with the history of their draft."""

    list_display = ("slug", "name", "folder", "draft_id", "draft_changed_at", "archived_at")
    search_fields = ("slug", "name")


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    """People: made and changed here, deactivated, never deleted."""

    list_display = ("username", "email", "roles", "is_active", "is_superuser")
    fieldsets = (*(UserAdmin.fieldsets or ()), ("Agent Versions", {"fields": ("roles", "time_zone")}))
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "email", "roles", "password1", "password2")}),
    )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save, and say in the audit log what somebody may do now."""
        noted = [name for name in NOTED if name in form.changed_data]
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            record(
                action="person changed" if change else "person made",
                subject_kind="person",
                subject=obj.username,
                before={name: form.initial.get(name) for name in noted} if change else None,
                after={name: form.cleaned_data[name] for name in noted},
                actor=actor_of(request),
            )

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Setting somebody's password is a form of its own: there is nothing to say but that."""
        if "password" in str(message).lower():
            record(action="password set", subject_kind="person", subject=obj.username, actor=actor_of(request))
        return super().log_change(request, obj, message)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever wrote something stays in the history; deactivate them instead."""
        return False
