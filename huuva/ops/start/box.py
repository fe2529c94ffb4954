"""The box that `make run` prints when everything answers."""

from __future__ import annotations

import io
import json
import shlex
from datetime import UTC, datetime, timedelta

from django.core.management import call_command

from huuva.ops.first_data import KITCHEN, FirstData

RULE = "─" * 78


def box(origin: str, first: FirstData, seconds: float) -> str:
    """Links, login and a line that posts an order. No frame at the sides, so that lines can be copied whole."""
    login = (
        f"{first.manager} / {first.password}"
        if first.password
        else f"{first.manager}, password as you set it"
    )
    lines = [
        RULE,
        f"Huuva is ready after {seconds:.1f} s. Ctrl-C stops it.",
        "",
        *_screens(origin),
        f"Admin      {origin}/admin/   {login}",
        f"API docs   {origin}/api/docs",
        "",
        "Send an order:",
        curl_line(origin, first.key),
        RULE,
    ]
    return "\n".join(lines)


def curl_line(origin: str, key: str) -> str:
    """One line for a shell. It names no order id, so that it can be pasted again.

    It names the kitchen, so that it still works when there are several.
    """
    order = {
        "account": "example-account",
        "kitchen": KITCHEN,
        "brandId": "burger-house",
        "channelOrderId": "EXAMPLE-1",
        "channelOrderDisplayId": "W-101",
        "customer": {"name": "John Doe", "phoneNumber": "+123456789"},
        "pickupTime": (datetime.now(UTC) + timedelta(minutes=20)).isoformat(timespec="seconds"),
        "items": [
            {"plu": "CAT1-0001", "name": "Hawaii Burger", "quantity": 1},
            {"plu": "CAT2-0001", "name": "Sushi Set Large", "quantity": 2},
        ],
    }
    words = ["curl", "-i", "-H", f"Authorization: Bearer {key}", "-H", "Content-Type: application/json"]
    words += ["-d", json.dumps(order, separators=(",", ":")), f"{origin}/api/orders"]
    return shlex.join(words)


def _screens(origin: str) -> list[str]:
    return [
        f"Display    {origin}{_pair('Kitchen display')}",
        f"Pickup     {origin}{_pair('Pickup board', '--board', 'pickup')}",
    ]


def _pair(name: str, *options: str) -> str:
    path = io.StringIO()
    call_command("pair_screen", name, "--kitchen", KITCHEN, *options, stdout=path)
    return path.getvalue().strip()
