"""The models of Monitor: calls in monthly partitions, their contents, the ledger of senders' ids, figures by hour,
saved views, what the judge of rollouts said."""

from .calls import Call, CallContent
from .evaluations import CanaryEvaluation
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
    "CanaryEvaluation",
    "ChannelFigures",
    "CostFigures",
    "DayFigures",
    "DurationFigures",
    "HourFigures",
    "ImportProgress",
    "ReasonFigures",
    "SavedView",
]
