"""An analysis that does not give what was asked for is said field by field."""

from typing import Any

import pytest

from agentversions.core.configuration import AnalysisField
from monitoring.core.analysis_check import check_analysis

FIELDS = [
    AnalysisField(name="topic", type="choice", choices=("Bills", "Repairs"), required=True),
    AnalysisField(name="amount", type="number"),
    AnalysisField(name="solved", type="boolean"),
    AnalysisField(name="note", type="text"),
]


@pytest.mark.parametrize(
    ("analysis", "problems"),
    [
        ({"topic": "Bills", "amount": 3.5, "solved": False, "note": ""}, []),
        ({"topic": "Bills", "amount": None}, []),
        ({}, ["“topic” is missing."]),
        ({"topic": "Cars"}, ["“topic” should be one of Bills, Repairs."]),
        ({"topic": ["Bills"]}, ["“topic” should be one of Bills, Repairs."]),
        ({"topic": "Bills", "amount": "3"}, ["“amount” should be a number."]),
        ({"topic": "Bills", "amount": True}, ["“amount” should be a number."]),
        ({"topic": "Bills", "solved": 1}, ["“solved” should be true or false."]),
        ({"topic": "Bills", "note": {}, "mood": 1}, ["“note” should be a text.", "“mood” was not asked for."]),
    ],
)
def test_what_does_not_fit_is_said(analysis: dict[str, Any], problems: list[str]) -> None:
    assert check_analysis(analysis, FIELDS) == problems


def test_where_nothing_was_asked_for_everything_fits() -> None:
    assert check_analysis({"anything": 1}, []) == []
