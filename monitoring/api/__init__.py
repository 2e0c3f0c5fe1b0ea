"""The API of Monitor, added to the one API of the product."""

from agentversions.api import api
from agentversions.api.problems import problem
from channels.runtime.world import Unavailable

from . import ab, audit, calls, one_call, rollouts, webhooks

api.add("", calls.router, tag="Calls")
api.add("", webhooks.router, tag="Calls")
api.add("", ab.router, tag="Analytics")
api.add("", rollouts.router, tag="Rollouts")
api.add("", audit.router, tag="Audit")
# Last: it takes every address below /calls/.
api.add("", one_call.router, tag="Calls")
api.add_exception_handler(
    Unavailable, lambda request, error: problem("database-away", str(error), headers={"Retry-After": "5"})
)
