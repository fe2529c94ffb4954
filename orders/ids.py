"""Order ids: our own, those reserved for channels, and ids that two kitchens use.

An id is stored as the client chose it, and is unique over all kitchens. Where another kitchen has an order with that id
already, it is stored with the kitchen's slug as a suffix, which keys of that kitchen never see (ADR 21).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from uuid_utils import uuid7

MAX_LENGTH: Final = 128
PLU_OUT_OF_ADDRESS: Final = (
    "An item's PLU is a part of its address, which “.” and “..” can't be; send another PLU."
)
# No client can send it inside an id, and it sorts before all characters that they can send: lists keep the order that
# they would have without it.
_MARK: Final = "\t"
# Set when the application starts: which words are the slugs of channel links.
_is_channel_prefix: Callable[[str], bool] = bool


def can_be_in_address(text: str) -> bool:
    """Not where it is “.” or “..”: clients and proxies resolve these, percent-encoded ones too (RFC 3986 §5.2.4)."""
    return text not in (".", "..")


def new_order_id(at: datetime | None = None) -> str:
    """A UUIDv7 (RFC 9562 §5.7): it grows with time, so new orders lie side by side in the index.

    `at`: when an order of the past was created.
    """
    return str(uuid7(nanoseconds=None if at is None else int(at.timestamp() * 1000) * 1_000_000))


def register_channel_prefix_check(is_channel_prefix: Callable[[str], bool]) -> None:
    """`is_channel_prefix` tells whether ids that begin with this word and a colon are those of a channel's orders."""
    global _is_channel_prefix
    _is_channel_prefix = is_channel_prefix


def belongs_to_channels(order_id: str) -> bool:
    """Whether it lies among the ids of channel links (`<slug>:<the channel's id>`), which no key may take."""
    prefix, colon, _ = order_id.partition(":")
    return bool(colon) and _is_channel_prefix(prefix)


def marked_id(order_id: str, kitchen: str) -> str:
    """The stored form of an id that another kitchen uses too."""
    return f"{order_id}{_MARK}{kitchen}"


def is_marked(stored: str) -> bool:
    return _MARK in stored


def has_room_for_mark(order_id: str, kitchen: str) -> bool:
    """Whether the id can be marked. One of nearly MAX_LENGTH can't, and belongs to the first kitchen that uses it."""
    return len(marked_id(order_id, kitchen)) <= MAX_LENGTH


def public_id(stored: str, kitchen: str | None) -> str:
    """The id as keys of `kitchen` know it; those for all kitchens (None) see what is stored."""
    return stored if kitchen is None else stored.removesuffix(f"{_MARK}{kitchen}")


def stored_ids(order_id: str, kitchen: str | None) -> tuple[str, ...]:
    """The stored ids that keys of `kitchen` may mean by this one, in the order to try them."""
    if kitchen is None:
        return (order_id,)
    return () if is_marked(order_id) else (order_id, marked_id(order_id, kitchen))
