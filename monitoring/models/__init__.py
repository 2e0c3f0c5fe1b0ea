"""The models of Monitor: calls in monthly partitions, their contents, the ledger of senders' ids, figures by hour."""

from .calls import Call, CallContent
from .figures import ChannelFigures, CostFigures, DayFigures, DurationFigures, HourFigures, ReasonFigures
from .imports import ImportProgress
from .ledger import CallCorrection, CallLedger

__all__ = [
    "Call",
    "CallContent",
    "CallCorrection",
    "CallLedger",
    "ChannelFigures",
    "CostFigures",
    "DayFigures",
    "DurationFigures",
    "HourFigures",
    "ImportProgress",
    "ReasonFigures",
]
