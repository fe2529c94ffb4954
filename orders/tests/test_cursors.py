"""Cursors that clients hold: nothing can be read from them, and none can be made by anybody else."""

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders import feed
from orders.cursors import decrypted, encrypted, packed

PLACES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=140)


@given(PLACES)
def test_a_place_comes_back_as_it_was(place: str) -> None:
    text = encrypted(place, of="events")
    assert decrypted(text, of="events") == place
    assert encrypted(place, of="events") == text, "every process gives the same"
    assert text.replace("-", "").replace("_", "").isalnum()


@given(st.text("abcdefghij0123456789-", min_size=8, max_size=40))
def test_nothing_can_be_read_from_a_cursor(order_id: str) -> None:
    text = feed.Cursor(123_456_789, order_id, 7).for_clients()
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    for secret in (order_id, "123456789"):
        assert secret not in text
        assert secret.encode() not in raw


def test_a_cursor_does_not_tell_how_long_an_id_is() -> None:
    lengths = {len(feed.Cursor(1, "x" * length, 1).for_clients()) for length in range(1, 28)}
    assert len(lengths) == 1


@given(PLACES, st.data())
def test_a_cursor_that_was_changed_is_refused(place: str, data: Any) -> None:
    raw = bytearray(base64.urlsafe_b64decode(encrypted(place, of="events") + "=="))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ValueError, match=r".*"):
        decrypted(base64.urlsafe_b64encode(raw).decode().rstrip("="), of="events")


@pytest.mark.parametrize("text", ["", "x", "é", "AAAA", "MS4xLm9yZGVy", packed("1.1.order"), "A" * 5000])
def test_a_cursor_that_was_not_made_here_is_refused(text: str) -> None:
    with pytest.raises(feed.BadCursor):
        feed.Cursor.from_client(text)


def test_a_cursor_of_one_list_is_none_of_another() -> None:
    with pytest.raises(ValueError, match="not encrypted here"):
        decrypted(encrypted("1.1.order", of="orders"), of="events")


def test_another_servers_cursor_is_refused(settings: Any) -> None:
    mine = feed.Cursor(1, "order", 1).for_clients()
    settings.SECRET_KEY = "another server's key"
    with pytest.raises(feed.BadCursor):
        feed.Cursor.from_client(mine)


def test_a_readers_own_cursor_is_no_clients_and_survives_its_text() -> None:
    cursor = feed.Cursor(12, "order with . and ä", 7)
    assert feed.Cursor.from_client(cursor.for_clients()) == cursor
    assert feed.Cursor.parse(str(cursor)) == cursor
    with pytest.raises(feed.BadCursor):
        feed.Cursor.parse(cursor.for_clients())


def test_threads_share_the_cipher() -> None:
    def both_ways(number: int) -> bool:
        place = f"{number}.1.order-{number}"
        return all(decrypted(encrypted(place, of="events"), of="events") == place for _ in range(200))

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(both_ways, range(16)))
