from __future__ import annotations

import shlex
from typing import Any

import pytest

from huuva import box as box_module
from huuva.box import box, curl_line
from huuva.first_data import FirstData
from huuva.run import origin

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


def test_the_line_names_no_order_id_so_it_can_be_pasted_twice() -> None:
    assert '"id"' not in curl_line("http://h", "k")
    assert '"_id"' not in curl_line("http://h", "k")


def test_screens_appear_once_they_can_be_paired(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ("Display" in box("http://h", FIRST, 1)) == ("pair_screen" in box_module.get_commands())

    def pair(command: str, name: str, *options: str, stdout: Any) -> None:
        stdout.write(f"/pair/{'board' if '--board' in options else 'wall'}\n")

    monkeypatch.setattr(box_module, "get_commands", lambda: {"pair_screen": "kitchen_display"})
    monkeypatch.setattr(box_module, "call_command", pair)
    lines = box("http://h", FIRST, 1).splitlines()
    assert "Display    http://h/pair/wall" in lines
    assert "Pickup     http://h/pair/board" in lines


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000"),
        ("kitchen.local", "http://kitchen.local:8000"),
    ],
)
def test_links_lead_to_where_a_browser_finds_us(host: str, expected: str) -> None:
    assert origin(host, 8000) == expected
