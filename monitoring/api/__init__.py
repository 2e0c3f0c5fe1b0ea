"""The API of Monitor, added to the one API of the product."""

from agentversions.api import api

from . import calls

api.add("", calls.router, tag="Calls")
