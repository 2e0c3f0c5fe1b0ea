"""Asks Agent Versions which configuration to run for a call."""

from .answers import BadAnswer, NotFound, Refused, Resolved, Unreachable
from .client import Client
from .plans import Plan

__all__ = ["BadAnswer", "Client", "NotFound", "Plan", "Refused", "Resolved", "Unreachable"]
