"""The models of Deploy: channels, routes as values, batches, plans, what serves drafts, the runtime's own."""

from .batches import RouteBatch, RouteBatchItem
from .channels import Channel
from .draft_serving import DraftServing
from .routes import Route, RouteTarget
from .runtime import MissedNumber, RoutingChange, SigningKey
from .schedule import ScheduledChange, ScheduledChannel, ScheduledStep

__all__ = [
    "Channel",
    "DraftServing",
    "MissedNumber",
    "Route",
    "RouteBatch",
    "RouteBatchItem",
    "RouteTarget",
    "RoutingChange",
    "ScheduledChange",
    "ScheduledChannel",
    "ScheduledStep",
    "SigningKey",
]
