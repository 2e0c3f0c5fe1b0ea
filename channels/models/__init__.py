"""The models of Deploy: channels, routes, batches, plans, what serves drafts, rollouts, flags, the runtime's own."""

from .batches import RouteBatch, RouteBatchItem
from .channels import Channel
from .draft_serving import DraftServing
from .flags import Flag, FlagCaller, FlagRevision
from .rollouts import Rollout, RolloutMove, RoutedCall
from .routes import Route, RouteTarget
from .runtime import MissedNumber, RoutingChange, SigningKey
from .schedule import ScheduledChange, ScheduledChannel, ScheduledStep

__all__ = [
    "Channel",
    "DraftServing",
    "Flag",
    "FlagCaller",
    "FlagRevision",
    "MissedNumber",
    "Rollout",
    "RolloutMove",
    "Route",
    "RouteBatch",
    "RouteBatchItem",
    "RouteTarget",
    "RoutedCall",
    "RoutingChange",
    "ScheduledChange",
    "ScheduledChannel",
    "ScheduledStep",
    "SigningKey",
]
