import json

import pytest
from django.test import Client


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "logged"),
    [("get", "/api/health", False), ("post", "/api/orders", True), ("get", "/api/nothing", True)],
)
def test_a_request_id_leads_to_what_changed_or_was_refused(
    method: str, path: str, logged: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    getattr(Client(), method)(f"{path}?secret=1", headers={"X-Request-Id": "find-me-1"})
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if "find-me-1" in line]
    assert [(line["event"], line["path"]) for line in lines] == ([("request", path)] if logged else [])


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("traceparent", "trace_id"),
    [
        (f"00-{TRACE}-00f067aa0ba902b7-01", TRACE),
        (f"cc-{TRACE}-00f067aa0ba902b7-01-what-comes-later", TRACE),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (TRACE, None),
        ('00-"}\n', None),
    ],
)
def test_a_callers_trace_id_is_logged(
    traceparent: str, trace_id: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    Client().post("/api/orders", headers={"traceparent": traceparent})

    [line] = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert line.get("trace_id") == trace_id


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/admin/orders/order/?brand=%00", "/display/board?seen=%00"])
def test_a_nul_in_a_pages_query_is_refused(path: str) -> None:
    assert Client().get(path).status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_that_pairs_a_screen_is_not_logged(method: str, capsys: pytest.CaptureFixture[str]) -> None:
    getattr(Client(), method)(f"/display/pair/{'t' * 43}")
    Client(headers={"host": "elsewhere.example"}).get(f"/display/pair/{'t' * 43}")

    paths = [json.loads(line)["path"] for line in capsys.readouterr().err.splitlines()]
    assert paths == ["/display/pair/…"] * 2
