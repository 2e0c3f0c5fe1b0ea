"""The models of Monitor: calls in monthly partitions, their contents, the ledger of senders' ids, figures by hour,
saved views."""

from .calls import Call, CallContent
from .figures import ChannelFigures, CostFigures, DayFigures, DurationFigures, HourFigures, ReasonFigures
from .imports import ImportProgress
from .ledger import CallCorrection, CallLedger
from .views import CallColumns, SavedView

__all__ = [
    "Call",
    "CallColumns",
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
    "SavedView",
]
