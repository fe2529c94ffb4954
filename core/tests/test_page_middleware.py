import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

pytestmark = pytest.mark.django_db
OF_PAGES = ("session", "_messages")


@pytest.fixture
def client() -> Client:
    return Client(headers={"cookie": "sessionid=abc; csrftoken=def"})


@pytest.mark.parametrize("path", ["/api/health", "/api/orders", "/api/docs", "/api/nothing"])
def test_the_api_knows_no_sessions_and_no_messages(client: Client, path: str) -> None:
    request = client.get(path).wsgi_request
    assert [name for name in OF_PAGES if hasattr(request, name)] == []


@pytest.mark.parametrize("path", ["/admin/login/", "/display/"])
def test_pages_do(client: Client, path: str) -> None:
    request = client.get(path).wsgi_request
    assert [name for name in OF_PAGES if hasattr(request, name)] == list(OF_PAGES)


def test_static_files_are_served_and_none_below_the_api(client: Client) -> None:
    assert client.get("/static/huuva/admin.css").status_code == 200
    assert client.get("/api/static/huuva/admin.css").status_code == 404


def test_answers_of_the_api_may_not_be_framed(client: Client) -> None:
    response = client.get("/api/health")
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]


# --- sessions end


@pytest.fixture
def manager() -> Client:
    client = Client(headers={"accept": "text/html"})
    client.force_login(
        User.objects.create_superuser("boss"), backend="django.contrib.auth.backends.ModelBackend"
    )
    client.get("/admin/orders/brand/")
    return client


def is_in(client: Client, **headers: str) -> bool:
    return client.get("/admin/orders/brand/", headers=headers).status_code == 200


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets time go by, for all who ask for it."""
    ahead = [0.0]
    seconds, moment = time.time, timezone.now
    monkeypatch.setattr(time, "time", lambda: seconds() + ahead[0])
    monkeypatch.setattr(timezone, "now", lambda: moment() + timedelta(seconds=ahead[0]))

    def go_by(**delta: float) -> None:
        ahead[0] += timedelta(**delta).total_seconds()

    return go_by


def test_a_session_that_nobody_uses_ends(manager: Client, clock: Callable[..., None]) -> None:
    clock(hours=11)
    assert is_in(manager)
    clock(hours=11)
    assert is_in(manager)
    clock(hours=12.1)
    assert not is_in(manager)


def test_a_page_that_renews_itself_is_no_use(manager: Client, clock: Callable[..., None]) -> None:
    for _ in range(11):
        clock(hours=1)
        assert is_in(manager, **{"X-Requested-With": "fetch"})
    clock(hours=1.1)
    assert not is_in(manager)


def test_no_session_lasts_longer_than_two_weeks(manager: Client, clock: Callable[..., None]) -> None:
    for _ in range(30):
        clock(hours=11)
        assert is_in(manager)
    clock(hours=7)
    is_in(manager)  # the last page of it
    assert not is_in(manager)


def test_a_session_is_not_written_with_each_page(manager: Client, clock: Callable[..., None]) -> None:
    stored = Session.objects.values_list("session_data", flat=True)
    before = stored.get()
    assert is_in(manager) and stored.get() == before
    clock(minutes=6)
    assert is_in(manager) and stored.get() != before


# --- headers


def test_a_request_with_two_hosts_is_refused_everywhere(client: Client) -> None:
    # As granian joins them.
    for path in ("/livez", "/readyz", "/metrics", "/api/orders", "/admin/login/", "/static/huuva/admin.css"):
        for host in ("localhost,localhost", "localhost,evil.example", "evil.example, localhost"):
            answer = client.get(path, headers={"host": host})
            assert (answer.status_code, answer.json()["code"]) == (400, "bad_request"), path


def test_no_page_may_ask_a_device_for_what_it_does_not_need(client: Client) -> None:
    for path in ("/admin/login/", "/display/", "/api/docs", "/nothing"):
        policy = client.get(path)["Permissions-Policy"]
        assert "camera=()" in policy and "geolocation=()" in policy and "screen-wake-lock=(self)" in policy
