"""The API of Monitor, added to the one API of the product."""

from agentversions.api import api

from . import calls, one_call

api.add("", calls.router, tag="Calls")
# Last: it takes every address below /calls/.
api.add("", one_call.router, tag="Calls")
