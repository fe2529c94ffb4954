import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.test import Client, override_settings
from django.utils.csp import build_policy

from core.mail import mailer

pytestmark = pytest.mark.django_db


def policy_of(client: Client, path: str) -> dict[str, list[str]]:
    header = client.get(path).headers["Content-Security-Policy"]
    return {
        name: values.split()
        for name, *rest in (part.strip().split(" ", 1) for part in header.split(";"))
        for values in rest
    }


@pytest.mark.parametrize("path", ["/admin/login/", "/admin/", "/admin/nothing/"])
def test_the_admin_alone_may_evaluate_expressions_and_bind_styles(client: Client, path: str) -> None:
    policy = policy_of(client, path)

    assert "'unsafe-eval'" in policy["script-src"]
    assert policy["style-src-attr"] == ["'unsafe-inline'"]
    assert "'unsafe-inline'" not in policy["script-src"] + policy["style-src"] + policy["default-src"]
    assert policy["frame-ancestors"] == ["'none'"]


@pytest.mark.parametrize("path", ["/api/docs", "/api/health", "/administration", "/api/orders"])
def test_everywhere_else_the_policy_is_the_settings_own(client: Client, path: str) -> None:
    assert client.get(path).headers["Content-Security-Policy"] == build_policy(settings.SECURE_CSP)


def test_a_view_with_a_policy_of_its_own_keeps_it(client: Client) -> None:
    policy = policy_of(client, "/api/redoc")

    assert "'unsafe-inline'" in policy["style-src"]
    assert not {"'unsafe-inline'", "'unsafe-eval'"} & set(policy["script-src"])


def test_no_page_of_the_admin_has_a_style_or_script_of_its_own_inside(client: Client) -> None:
    page = client.get("/admin/login/").content.decode()

    assert "<style" not in page
    assert page.count("<script") == page.count("<script src=") + page.count("<script id=")


def test_production_settings_pass_djangos_deployment_checks() -> None:
    with override_settings(
        DEBUG=False,
        SECURE_SSL_REDIRECT=True,
        SESSION_COOKIE_SECURE=True,
        CSRF_COOKIE_SECURE=True,
        SECURE_HSTS_SECONDS=31536000,
        # Tests put their own mailer in its place.
        MAILERS={"default": mailer("smtp://localhost")},
    ):
        messages = run_checks(include_deployment_checks=True)
        assert [message for message in messages if not message.is_silenced()] == []
