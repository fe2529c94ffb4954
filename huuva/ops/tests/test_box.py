from __future__ import annotations

import shlex

import pytest
from django.test import Client

from huuva.ops.first_data import FirstData
from huuva.ops.start.box import box, curl_line
from huuva.ops.start.run import origin
from orders.models import Kitchen

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def main_kitchen(db: None) -> None:
    Kitchen.objects.create(slug="main", name="Main")


FIRST = FirstData("manager", "a-password", "huuva_abc_def")


def test_the_box_shows_login_docs_and_a_line_to_paste() -> None:
    lines = box("http://127.0.0.1:8000", FIRST, 2.34).splitlines()
    assert "Huuva is ready after 2.3 s. Ctrl-C stops it." in lines
    assert "Admin      http://127.0.0.1:8000/admin/   manager / a-password" in lines
    assert "API docs   http://127.0.0.1:8000/api/docs" in lines
    words = shlex.split(next(line for line in lines if line.startswith("curl ")))
    assert words[-1] == "http://127.0.0.1:8000/api/orders"
    assert "Authorization: Bearer huuva_abc_def" in words


def test_a_changed_password_is_not_shown() -> None:
    shown = box("http://h", FirstData("manager", None, "k"), 1)
    assert "manager, password as you set it" in shown


def test_the_line_has_no_order_id_so_it_can_be_pasted_twice() -> None:
    assert '"id"' not in curl_line("http://h", "k")
    assert '"_id"' not in curl_line("http://h", "k")


def test_the_curl_line_works_with_several_kitchens_too() -> None:
    assert '"kitchen":"main"' in curl_line("http://h", "k")


def test_the_links_pair_the_browser_that_opens_them() -> None:
    lines = box("http://h", FIRST, 1).splitlines()
    links = [
        line.split()[-1].removeprefix("http://h") for line in lines if line.startswith(("Display", "Pickup"))
    ]
    assert len(links) == 2
    for link in links:
        browser = Client()
        assert "data-open" in browser.get(link).content.decode()
        assert browser.post(link).status_code == 303
        assert any(cookie.value for cookie in browser.cookies.values())


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000"),
        ("kitchen.local", "http://kitchen.local:8000"),
    ],
)
def test_links_have_an_address_for_browsers(host: str, expected: str) -> None:
    assert origin(host, 8000) == expected
