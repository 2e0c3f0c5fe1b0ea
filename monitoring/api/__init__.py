"""The API of Monitor, added to the one API of the product."""

from agentversions.api import api

from . import ab, calls

api.add("", calls.router, tag="Calls")
api.add("", ab.router, tag="Analytics")
