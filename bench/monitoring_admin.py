"""The Django admin's own list over the table of calls: what one gets without writing a page."""

from collections.abc import Callable
from typing import Any


def admin_list(agent: int) -> Callable[[], Any]:
    """A function that renders the admin's list of an agent's calls of two versions, as its filters ask for them."""
    from django.contrib.admin import ModelAdmin, site
    from django.db import models
    from django.test import RequestFactory

    from tests.factories import make_user

    class AdminCall(models.Model):
        """The admin takes no composite key: the id alone is as unique."""

        id = models.BigIntegerField(primary_key=True)
        agent_id = models.IntegerField()
        started_at = models.DateTimeField()
        version = models.IntegerField(null=True)
        channel = models.CharField(max_length=64)
        duration_ms = models.IntegerField(null=True)

        class Meta:
            # One whose pages the admin has: the list links to it.
            app_label = "agentversions"
            managed = False
            db_table = "monitoring_call"

        def __str__(self) -> str:
            return str(self.id)

    class CallAdmin(ModelAdmin):  # type: ignore[type-arg]
        list_display = ("id", "started_at", "version", "channel", "duration_ms")
        ordering = ("-started_at",)
        list_per_page = 50
        list_display_links = None

        def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
            return True

    admin = CallAdmin(AdminCall, site)
    user = make_user("admin", username="bench-superuser", is_superuser=True, is_staff=True)

    def ask() -> Any:
        request = RequestFactory().get("/", {"agent_id": str(agent), "version__in": "6,7"})
        request.user = user
        request.htmx = False  # type: ignore[attr-defined]
        response = admin.changelist_view(request)
        assert response.status_code == 200
        return response.render()  # type: ignore[attr-defined]

    return ask
