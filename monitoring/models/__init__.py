"""The models of Monitor: calls in monthly partitions, their contents, the ledger of senders' ids, figures by hour,
saved views."""

from .calls import Call, CallContent
from .figures import CostFigures, DurationFigures, HourFigures
from .ledger import CallCorrection, CallLedger
from .views import CallColumns, SavedView

__all__ = [
    "Call",
    "CallColumns",
    "CallContent",
    "CallCorrection",
    "CallLedger",
    "CostFigures",
    "DurationFigures",
    "HourFigures",
    "SavedView",
]
