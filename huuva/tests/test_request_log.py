import logging

import pytest
from django.test import Client


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "logged"),
    [("get", "/api/health", False), ("post", "/api/orders", True), ("get", "/api/nothing", True)],
)
def test_a_request_id_leads_to_what_changed_or_was_refused(
    method: str, path: str, logged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        getattr(Client(), method)(f"{path}?secret=1", headers={"X-Request-Id": "find-me-1"})
    lines = [record.getMessage() for record in caplog.records if "find-me-1" in record.getMessage()]
    assert bool(lines) is logged
    assert "secret" not in "".join(lines)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/admin/orders/order/?brand=%00", "/display/board?seen=%00"])
def test_a_nul_in_a_pages_query_is_refused(path: str) -> None:
    assert Client().get(path).status_code == 400
