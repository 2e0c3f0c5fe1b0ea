"""The models of Deploy: channels, routes as values, batches of changes, what serves drafts, the runtime's own rows."""

from .batches import RouteBatch, RouteBatchItem
from .channels import Channel
from .draft_serving import DraftServing
from .routes import Route, RouteTarget
from .runtime import MissedNumber, RoutingChange, SigningKey

__all__ = [
    "Channel",
    "DraftServing",
    "MissedNumber",
    "Route",
    "RouteBatch",
    "RouteBatchItem",
    "RouteTarget",
    "RoutingChange",
    "SigningKey",
]
