from __future__ import annotations

import pytest

from core.stream_tokens import BadToken, Grant, make_token, read_token, stream_url

SECRET = "s" * 50


def test_a_token_brings_its_grant() -> None:
    token = make_token(SECRET, "küche 1", 7, now=1000, lifetime_seconds=60)

    assert read_token(SECRET, token, now=1059) == Grant("küche 1", "7", 1060)
    paired = make_token(SECRET, "main", 7, pairing="abc", now=1000, lifetime_seconds=60)
    assert read_token(SECRET, paired, now=1059).pairing == "abc"


def test_a_token_needs_no_quoting_in_an_address() -> None:
    url = stream_url("https://orders.example.com/", make_token(SECRET, "küche/1?&", "é"))

    assert url.startswith("https://orders.example.com/live/streams?token=")
    assert all(letter.isascii() and (letter.isalnum() or letter in "-_.") for letter in url.partition("=")[2])


def test_it_ends_on_the_second() -> None:
    with pytest.raises(BadToken) as bad:
        read_token(SECRET, make_token(SECRET, "main", 1, now=1000, lifetime_seconds=60), now=1060)
    assert bad.value.code == "token_expired"


def test_no_changed_letter_goes_unnoticed() -> None:
    token = make_token(SECRET, "main", 1)
    for position, letter in enumerate(token):
        changed = token[:position] + ("A" if letter != "A" else "B") + token[position + 1 :]
        with pytest.raises(BadToken, match="not made here"):
            read_token(SECRET, changed)


@pytest.mark.parametrize("token", [".", "a.b", "a.b.c", "\ud800.x", "ä.ö", "=" * 5000])
def test_rubbish_is_refused(token: str) -> None:
    with pytest.raises(BadToken) as bad:
        read_token(SECRET, token)
    assert bad.value.code == "token_invalid"


def test_another_secret_opens_nothing() -> None:
    with pytest.raises(BadToken):
        read_token("t" * 50, make_token(SECRET, "main", 1))
