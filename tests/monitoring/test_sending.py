"""How much is taken at once over the API, as the documentation says."""

import io
import json

import pytest
from django.test import Client, RequestFactory

from monitoring.api.taking import MOST_BYTES, TooLarge, read_body
from monitoring.models import Call, CallContent
from tests.channels.runtime import resolve_token

pytestmark = pytest.mark.django_db


def test_a_list_of_megabytes_is_taken() -> None:
    said = "x" * 3_000_000
    body = json.dumps([{"id": name, "transcript": [{"role": "user", "text": said}]} for name in "abc"])
    client = Client(headers={"Authorization": f"Bearer {resolve_token('calls')}"})
    answer = client.post("/api/v1/calls", body, content_type="application/json")
    assert (answer.status_code, answer.json()) == (200, {"calls": 3, "refused": []})
    assert CallContent.objects.count() == 3


def test_more_than_12_mb_is_refused_with_a_sentence_about_calls() -> None:
    client = Client(headers={"Authorization": f"Bearer {resolve_token('calls')}"})
    answer = client.post("/api/v1/calls", b" " * (MOST_BYTES + 1), content_type="application/json")
    assert (answer.status_code, "12 MB" in answer.json()["detail"]) == (413, True)
    assert not Call.objects.exists()


def test_a_body_in_chunks_is_read_up_to_the_limit() -> None:
    request = RequestFactory().post("/", b"", content_type="application/json", headers={"Transfer-Encoding": "chunked"})
    request.META["wsgi.input"] = io.BytesIO(b'{"id": "a"}')
    assert read_body(request) == b'{"id": "a"}'
    request.META["wsgi.input"] = io.BytesIO(b" " * (MOST_BYTES + 1))
    with pytest.raises(TooLarge):
        read_body(request)
