"""Ids that two kitchens use, and those that only channels have."""

from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from orders import ids
from orders.api.inputs import OrderId
from orders.errors import OrderExists
from orders.ids import belongs_to_channels, has_room_for_mark, marked_id, public_id, stored_ids
from orders.models import Order
from orders.services import create_order, move_order
from orders.statuses import READY
from orders.tests import factories

ALPHABET = st.characters(exclude_characters="/\x7f", exclude_categories=["Cs", "Cc"])
IDS = st.text(ALPHABET, min_size=1, max_size=20).filter(lambda text: text == text.strip())
SLUGS = st.from_regex(r"\A[a-z0-9](?:[a-z0-9-]{0,10}[a-z0-9])?\Z")


@given(IDS, SLUGS)
def test_an_id_comes_back_from_where_it_is_stored(order_id: str, kitchen: str) -> None:
    for stored in stored_ids(order_id, kitchen):
        assert public_id(stored, kitchen) == order_id
        assert stored_ids(stored, None) == (stored,)
        assert public_id(stored, None) == stored
    assert stored_ids(marked_id(order_id, kitchen), kitchen) == (), "the mark can't be asked for"
    longest = 127 - len(kitchen)
    assert has_room_for_mark("x" * longest, kitchen)
    assert not has_room_for_mark("x" * (longest + 1), kitchen)


@given(IDS, IDS, SLUGS)
def test_the_mark_changes_no_order_of_ids(one: str, other: str, kitchen: str) -> None:
    """Else a list whose orders were created at the same moment would tell which of them are marked."""
    if one != other:
        assert (marked_id(one, kitchen) < other) == (one < other)


@pytest.mark.parametrize("text", ["shop-2:1", "shop-2:", "shop-2::"])
def test_no_key_takes_an_id_of_a_channel(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "_is_channel_prefix", lambda prefix: prefix == "shop-2")
    assert belongs_to_channels(text)
    with pytest.raises(ValidationError):
        TypeAdapter(OrderId).validate_python(text)
    for other in ("shop-2", f"x{text}", f"other:{text}"):
        assert not belongs_to_channels(other)
        assert TypeAdapter(OrderId).validate_python(other) == other


@given(IDS, SLUGS)
def test_no_client_can_send_the_mark(order_id: str, kitchen: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(OrderId).validate_python(marked_id(order_id, kitchen))


@pytest.mark.django_db
def test_an_id_is_taken_where_it_is_known() -> None:
    theirs, ours = factories.kitchen("theirs"), factories.kitchen("ours")
    new = factories.new_order(id="A17")
    create_order(new, kitchen=theirs, actor="key:test")
    with pytest.raises(OrderExists):
        create_order(new, kitchen=ours, actor="key:test")
    order = create_order(new, kitchen=ours, actor="key:test", own_ids=True)
    assert (order.id, order.kitchen_id) == (marked_id("A17", "ours"), "ours")
    for kitchen in (theirs, ours):
        with pytest.raises(OrderExists) as caught:
            create_order(new, kitchen=kitchen, actor="key:test", own_ids=True)
        assert caught.value.order_id == "A17"
    assert set(Order.objects.values_list("id", flat=True)) == {"A17", marked_id("A17", "ours")}


@pytest.mark.django_db
def test_the_admin_shows_and_moves_a_marked_order(admin_client: Any) -> None:
    factories.order(id="A17", of=factories.kitchen("theirs"))
    order = create_order(
        factories.new_order(id="A17"), kitchen=factories.kitchen("ours"), actor="key:test", own_ids=True
    )
    page = reverse("admin:orders_order_change", args=[quote(order.id)])
    assert admin_client.get(page).status_code == 200
    act = reverse("admin:orders_order_act", args=[quote(order.id)])
    assert admin_client.post(act, {"do": "3", "version": 1}).status_code == 302
    assert Order.objects.get(pk=order.id).status == READY
    assert Order.objects.get(pk="A17").status != READY
    move_order(order.id, READY, actor="key:test", kitchen="ours")
