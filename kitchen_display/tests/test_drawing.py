"""Rendered tickets are cached, and never shown when they have changed or to the wrong reader."""

import re

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from kitchen_display.board import read_board
from kitchen_display.configuration import forget_kitchen_configs
from kitchen_display.tests import factories as make
from orders import clock
from orders.services import move_item
from orders.statuses import READY
from orders.tests.factories import brand

pytestmark = pytest.mark.django_db


def page(client, **headers):
    return client.get("/display/board", headers={**make.SCRIPT, **headers}).content.decode()


def tickets(html):
    return re.findall(r"<article.*?</article>", html, re.DOTALL)


def test_a_cached_ticket_equals_a_fresh_rendering():
    screen = make.screen()
    client = make.paired(screen)
    make.order("A", "B", note="<b>&", channel_display_id="#1")
    (first,), (again,) = tickets(page(client)), tickets(page(client))
    hide = re.compile(r'value="[A-Za-z0-9]{64}"')
    assert hide.sub("", first) == hide.sub("", again)
    assert "&lt;b&gt;&amp;" in first
    (t,) = read_board(screen, clock.now()).tickets
    with timezone.override(screen.kitchen.time_zone):
        plain = render_to_string("kitchen_display/_ticket.html", {"t": t, "csrf_token": "x" * 64})
    assert hide.sub("", plain).strip() == hide.sub("", first).strip()


def test_a_changed_ticket_is_rendered_again(monkeypatch):
    client = make.paired(make.screen())
    order = make.order("A", "B", brand_id="b")
    before = tickets(page(client))
    move_item(order.id, "A", READY, actor="screen:Grill")
    after = tickets(page(client))
    assert before != after and "item--ready" in after[0]
    brand("b")
    forget_kitchen_configs()
    assert "Burger House" in page(client)


def test_each_browser_gets_its_own_token():
    make.order()
    first_tokens = []
    for name in ("one", "two"):
        client = make.paired(make.screen(name))
        client.get("/display/")
        tokens = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page(client))
        assert len(tokens) > 1 and len(set(tokens)) == 1
        first_tokens.append(tokens[0])
    assert first_tokens[0] != first_tokens[1]


def test_each_language_is_rendered_separately():
    make.order()
    client = make.paired(make.screen())
    english, finnish = (tickets(page(client, **{"Accept-Language": code})) for code in ("en", "fi"))
    assert english != finnish
