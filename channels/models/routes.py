"""Routes: immutable values found by their digest. Many channels may point at the same one."""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from agentversions.core.digest import digest_of
from agentversions.models import Agent, AgentVersion
from agentversions.models.configurations import DigestOfText
from agentversions.models.database import READ_AND_APPEND, append_only
from channels.core.routes import Follow, RoutePlan, read_route


class RouteManager(models.Manager["Route"]):
    """Finds routes."""

    def find(self, body: str) -> "Route | None":
        """The row of a plan's canonical JSON."""
        return self.filter(digest=digest_of(body)).first()


class Route(models.Model):
    """A plan's canonical JSON under its SHA-256. Never changed; PostgreSQL checks the digest and refuses UPDATE."""

    database_privileges = READ_AND_APPEND

    digest = models.CharField(max_length=64, primary_key=True)
    body = models.TextField()
    is_test = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[RouteManager] = RouteManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="route_digest_is_sha256_of_body", condition=Q(digest=DigestOfText(models.F("body")))
            )
        ]
        triggers = append_only(table="Route")

    def __str__(self) -> str:
        return str(self.plan)

    @property
    def plan(self) -> RoutePlan:
        """The value itself."""
        return read_route(self.body)


class RouteTarget(models.Model):
    """One thing that a route may answer with, as rows, so that lists can filter by agent and version."""

    database_privileges = READ_AND_APPEND

    route = models.ForeignKey(Route, on_delete=models.PROTECT, related_name="targets", db_index=False)
    position = models.PositiveSmallIntegerField()
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="route_targets", db_index=False)
    follow = models.CharField(max_length=10, choices=[(each.value, each.value.capitalize()) for each in Follow])
    version = models.ForeignKey(AgentVersion, on_delete=models.PROTECT, related_name="route_targets", null=True)

    objects: ClassVar[models.Manager["RouteTarget"]] = models.Manager()

    class Meta:
        ordering = ["route", "position"]
        # The routes of an agent, narrowed by what of it they follow.
        indexes = [models.Index(fields=["agent", "follow", "version"], name="route_target_of_agent")]
        constraints = [
            models.UniqueConstraint(fields=["route", "position"], name="route_target_position_is_unique"),
            models.CheckConstraint(
                name="route_target_pins_exactly_a_version",
                condition=Q(follow="version", version__isnull=False) | (~Q(follow="version") & Q(version__isnull=True)),
            ),
        ]
        triggers = append_only(
            table="RouteTarget",
            also=[
                pgtrigger.Trigger(
                    name="version_is_the_agents",
                    operation=pgtrigger.Insert,
                    when=pgtrigger.Before,
                    func="""
                    IF NEW.version_id IS NOT NULL AND NOT EXISTS (
                        SELECT 1 FROM agentversions_agentversion v
                        WHERE v.id = NEW.version_id AND v.agent_id = NEW.agent_id
                    ) THEN
                        RAISE EXCEPTION 'The pinned version belongs to another agent.'
                        USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                    """,
                )
            ],
        )

    def __str__(self) -> str:
        return f"{self.agent_id} {self.follow}"
