import pytest
from django.test import Client

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
