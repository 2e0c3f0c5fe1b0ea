"""The demo's calls: the A/B test has results from its first minute."""

from typing import Any

import pytest
from django.core.management import call_command

from channels.models import Channel
from monitoring.models import CallLedger
from monitoring.services.ab_counts import count_test
from monitoring.services.ab_periods import find_test

pytestmark = pytest.mark.django_db


def test_the_test_of_the_demo_has_calls_by_its_split(settings: Any) -> None:
    settings.USES_EMBEDDED_POSTGRES = True
    call_command("load_demo", verbosity=0)
    test = find_test(Channel.objects.get(address="+442079460103"))
    assert test is not None
    counts = count_test(test)
    calls = {name: variant.calls for name, variant in counts.variants.items()}
    assert sum(calls.values()) == 420
    assert calls["Control"] > calls["Person takes over"] > 80
    assert counts.left_out.keys() <= {"outside"}
    before = CallLedger.objects.count()
    call_command("load_demo", verbosity=0)
    assert CallLedger.objects.count() == before
