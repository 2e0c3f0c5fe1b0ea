"""The API of Deploy, added to the one API of the product."""

from agentversions.api import api
from agentversions.api.problems import KIND_OF_REFUSAL, KINDS
from channels.services import errors

from . import channels, flags, rollouts, schedule
from .schemas import Question, Resolved

KINDS["route-moved"] = (412, "The route moved on")
KINDS["rollout-open"] = (409, "The agent has an open rollout")
KINDS["rollout-moved"] = (412, "The rollout moved on")
KINDS["flag-moved"] = (412, "The flag moved on")
KIND_OF_REFUSAL |= {
    errors.UnknownChannel: "not-found",
    errors.ChannelRefused: "invalid",
    errors.RouteRefused: "invalid",
    errors.RouteMoved: "route-moved",
    errors.ScheduleRefused: "invalid",
    errors.RolloutRefused: "invalid",
    errors.RolloutOpen: "rollout-open",
    errors.RolloutMoved: "rollout-moved",
    errors.UnknownFlag: "not-found",
    errors.FlagRefused: "invalid",
    errors.FlagMoved: "flag-moved",
}
api.add("", channels.router, tag="Channels")
api.add("", schedule.router, tag="Schedule")
api.add("", rollouts.router, tag="Rollouts")
api.add("", flags.router, tag="Flags")
api.describe(
    "/api/v1/resolve",
    tag="Calls",
    summary="Resolve a call",
    description="Which configuration to run for this call. Answered before everything else, from memory, also while "
    "the database is away.\n\nNeeds the scope “resolve”.",
    takes=Question,
    gives=Resolved,
)
