"""What is too large or of the wrong kind gets a clear refusal, on pages as well as in the API."""

from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from core.http.limits import API_BODY_BYTES
from integrations.tests import factories as keys
from kitchen_display.tests import factories as display

pytestmark = pytest.mark.django_db
FORMS = (
    "/admin/login/",
    "/admin/orders/brand/add/",
    "/admin/orders/order/",
    "/admin/kitchen_display/screen/add/",
    "/display/bump",
    "/display/settings",
    "/display/seen",
)
CALLS = ("/api/orders", "/api/orders/x/recall", "/api/analytics/refresh")


@pytest.fixture
def manager() -> Client:
    client = Client(headers={"accept": "text/html"})
    client.force_login(
        User.objects.create_superuser("anna"), backend="django.contrib.auth.backends.ModelBackend"
    )
    return client


@pytest.fixture
def caller(manager: Client) -> Client:
    """A manager's browser that is a wall, too."""
    client = display.paired(display.screen())
    client.cookies.update(manager.cookies)
    return client


@pytest.fixture
def key() -> Client:
    _, plain = keys.api_key()
    return Client(headers={"authorization": f"Bearer {plain}"})


def form(client: Client, path: str, data: str | bytes) -> Any:
    return client.generic("POST", path, data, "application/x-www-form-urlencoded")


@pytest.mark.parametrize("path", FORMS)
def test_a_form_larger_than_any_of_ours_is_refused(caller: Client, path: str) -> None:
    answer = form(caller, path, "note=" + "x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE)

    assert answer.status_code == 413
    assert "too large" in answer.content.decode()


@pytest.mark.parametrize("path", FORMS)
def test_a_form_of_too_many_fields_is_refused(caller: Client, path: str) -> None:
    answer = form(
        caller, path, "&".join(f"x{n}=1" for n in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1))
    )

    assert answer.status_code == 400
    assert "malformed" in answer.content.decode()


@pytest.mark.parametrize("path", FORMS)
def test_files_are_accepted_nowhere(caller: Client, path: str) -> None:
    for file in (
        SimpleUploadedFile("menu.html", b"<script>alert(1)</script>", "text/html"),
        SimpleUploadedFile("large.bin", b"x" * (3 * 1024 * 1024)),  # too large for memory
    ):
        answer = caller.post(path, {"order": file, "name": file, "file": file})

        assert answer.status_code in (413, 415), answer.status_code
        assert b"<script>alert(1)" not in answer.content


@pytest.mark.parametrize("path", FORMS)
def test_a_file_is_refused_where_forged_requests_are_looked_for(path: str) -> None:
    """That check reads the form before any view, outside of what turns errors of views into answers."""
    strict = Client(enforce_csrf_checks=True)
    strict.get("/admin/login/")
    answer = strict.post(path, {"order": SimpleUploadedFile("menu.txt", b"x" * 10_000)})

    assert answer.status_code == 415


@pytest.mark.parametrize("path", FORMS)
def test_a_multipart_form_that_is_none_is_refused(caller: Client, path: str) -> None:
    for kind in ("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=x"):
        answer = caller.generic("POST", path, b"--y\r\nContent-Disposition: form-data\r\n\r\n", kind)

        assert answer.status_code < 500


@pytest.mark.parametrize("path", ["/admin/orders/order/", "/display/board", "/api/orders", "/pickup/"])
def test_a_query_of_too_many_parameters_is_refused(caller: Client, key: Client, path: str) -> None:
    query = "&".join(f"x{n}=1" for n in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1))
    answer = (key if path.startswith("/api") else caller).get(f"{path}?{query}")

    assert answer.status_code in ((400,) if path != "/pickup/" else (200, 400))


@pytest.mark.parametrize("path", CALLS)
def test_a_body_over_the_limit_is_a_413(key: Client, path: str) -> None:
    answer = key.post(path, b"{" + b" " * API_BODY_BYTES, "application/json")

    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"


@pytest.mark.parametrize(
    "kind", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/plain"]
)
def test_the_api_takes_json_alone(key: Client, kind: str) -> None:
    assert key.post("/api/orders", b"a=1", kind).status_code == 415


def test_a_body_that_lies_about_its_length_is_no_fault_of_ours(key: Client) -> None:
    for length in ("-1", "x", "", "²"):
        answer = key.generic("POST", "/api/orders", b"{}", "application/json", CONTENT_LENGTH=length)
        assert 400 <= answer.status_code < 500, length


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer " + "x" * 60_000},
        {"cookie": "huuva_screen=" + "x" * 60_000},
        {"cookie": "sessionid=" + "x" * 60_000 + "; csrftoken=" + "y" * 60_000},
        {"accept-language": "fi," * 20_000},
        {"accept": "text/html;q=" + "0" * 60_000},
        {"x-forwarded-for": "1," * 30_000},
        {"if-none-match": '"x",' * 15_000},
        {"x-request-id": "a" * 60_000},
        {"traceparent": "0" * 60_000},
    ],
    ids=lambda headers: "+".join(headers),
)
def test_a_huge_header_is_no_fault_of_ours(headers: dict[str, str]) -> None:
    client = Client(headers=headers)
    for path in ("/display/board", "/admin/", "/api/orders", "/pickup/", "/api/redoc", "/livez"):
        assert client.get(path).status_code < 500, path
