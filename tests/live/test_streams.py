"""The live process as screens meet it: granian, Valkey and HTTP."""

from __future__ import annotations

import asyncio
import json
import re
import time
from http.client import HTTPResponse
from typing import Any

import pytest

from core.env import PROJECT_ROOT
from core.stream_channels import Hint
from core.stream_tokens import LIFETIME_SECONDS, Grant, make_token
from core.valkey_client import ValkeyClient
from huuva.live.streams import Stream, Streams
from kitchen_display.hints import Publisher
from tests.live.process import LiveProcess


def problem(response: HTTPResponse) -> dict[str, Any]:
    assert response.headers["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = json.loads(response.read())
    assert document["status"] == response.status
    return document


def test_the_first_event_is_hello_with_the_servers_clock(live: LiveProcess) -> None:
    with live.listen() as screen:
        assert screen.response.headers["Content-Type"].startswith("text/event-stream")
        assert "no-transform" in screen.response.headers["Cache-Control"]
        event = screen.event()

    assert event is not None
    assert event[0] == "hello"
    assert abs(event[1]["now"] / 1000 - time.time()) < 1


def test_a_proxy_may_take_the_prefix_away(live: LiveProcess) -> None:
    connection, response = live.request(live.token(), path="/streams")

    assert response.status == 200
    response.close()
    connection.close()


def test_a_hint_reaches_every_screen_of_its_kitchen_and_no_other(live: LiveProcess) -> None:
    with live.listen("main", "1") as one, live.listen("main", "2") as two, live.listen("annex", "3") as other:
        for screen in (one, two, other):
            screen.until("hello")
        live.publish("main")
        live.publish("annex", "screens")

        assert one.until("hint")["kind"] == "orders"
        assert two.until("hint")["kind"] == "orders"
        assert other.until("hint")["kind"] == "screens"


def test_the_heart_beats_each_two_seconds_for_all_at_once(live: LiveProcess) -> None:
    with live.listen("main", "1") as one, live.listen("main", "2") as two:
        one.until("hello")
        two.until("hello")
        first = one.until("beat")["now"]

        assert two.until("beat")["now"] == first
        # The server's own stamps: how late we read them doesn't matter.
        assert 1500 < one.until("beat")["now"] - first < 3500


def test_a_hint_names_its_time_unless_it_replaces_one_not_taken() -> None:
    early, late = "0123456789ab.7", "0123456789ab.9"
    streams = Streams(most=9)
    stream = streams.open(Grant("main", "1", 2**40), lambda: None)
    streams.hint(Hint("main", "orders", 1, late))
    assert late in str(sent_next(stream))

    streams.hint(Hint("main", "orders", 1, late))
    streams.hint(Hint("main", "orders", 2, early))
    both = str(sent_next(stream))
    assert both.count("event: hint") == 1
    assert "moment" not in both


def sent_next(stream: Stream) -> bytes | None:
    return asyncio.run(stream.take())


@pytest.mark.parametrize(
    "noise", ["", "[]", "{}", '{"v":1}', '{"v":2,"kind":"orders"}', '{"v":1,"kind":"x\\n"}', "\x00"]
)
def test_noise_on_the_channel_changes_nothing(noise: str, live: LiveProcess) -> None:
    import redis

    with live.listen() as screen, redis.Redis.from_url(live.redis_url) as client:
        screen.until("hello")
        client.publish("huuva:kitchen:main", noise)
        live.publish("main", "screens")

        assert screen.until("hint")["kind"] == "screens"


def test_each_live_process_gets_every_hint_and_accepts_every_screen(live: LiveProcess) -> None:
    """Ten thousand screens are several of these processes: none knows what another would need."""
    second = LiveProcess(live.home)
    second.start()
    try:
        token = live.token("main", "1")
        for process in (live, second):
            connection, response = process.request(token)
            assert response.status == 200, "a screen may come to any of them with the token that web gave it"
            response.close()
            connection.close()
        with live.listen("main", "1") as one, second.listen("main", "2") as two:
            for kind in ("orders", "screens"):
                live.publish("main", kind)
                assert one.until("hint")["kind"] == two.until("hint")["kind"] == kind
        live.stop_valkey()
        with live.listen("main", "1") as one, second.listen("main", "2") as two:
            one.until("beat", valkey=False)
            two.until("beat", valkey=False)
            live.start_valkey()
            assert one.until("hint")["kind"] == two.until("hint")["kind"] == "resync"
    finally:
        second.stop()


# --- Valkey away ----------------------------------------------------------------------------------------------------


def test_screens_learn_that_valkey_is_away_and_fetch_when_it_is_back(live: LiveProcess) -> None:
    with live.listen() as screen:
        assert "valkey" not in screen.until("hello")
        live.stop_valkey()
        screen.until("beat", valkey=False)
        with live.listen(screen="2") as late:
            assert late.until("hello")["valkey"] is False

        live.start_valkey()
        began = time.monotonic()
        assert screen.until("hint")["kind"] == "resync"
        assert time.monotonic() - began < 3
        assert "valkey" not in screen.until("beat")
        live.publish("main")
        assert screen.until("hint")["kind"] == "orders"


def test_a_valkey_that_hangs_is_away_too(live: LiveProcess) -> None:
    from core.addresses import valkey_folder
    from huuva.ops.embedded.process import find

    (server,) = find("valkey-server", valkey_folder(live.home))
    with live.listen() as screen:
        screen.until("hello")
        server.suspend()
        try:
            screen.until("beat", valkey=False)
        finally:
            server.resume()
        assert screen.until("hint")["kind"] == "resync"


# --- who may listen -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("", "token_missing"),
        ("abc", "token_invalid"),
        ("%00%ff%F0%9F%8D%A3.x", "token_invalid"),
        ("x" * 4000, "token_invalid"),
        pytest.param(make_token("another key" * 10, "main", 1), "token_invalid", id="of another key"),
    ],
)
def test_without_a_token_of_ours_nobody_listens(token: str, code: str, live: LiveProcess) -> None:
    _, response = live.request(token)

    assert response.status == 403
    assert problem(response)["code"] == code


def test_an_old_token_opens_nothing(live: LiveProcess) -> None:
    _, response = live.request(live.token(lifetime_seconds=-1))

    assert response.status == 403
    assert problem(response)["code"] == "token_expired"


def test_a_stream_ends_with_its_token(live: LiveProcess) -> None:
    with live.listen(lifetime_seconds=1) as screen:
        names = []
        while event := screen.event():
            names.append(event[0])

    assert names[0] == "hello"
    assert len(names) <= 3


def test_the_stream_of_a_revoked_screen_ends_at_once(live: LiveProcess) -> None:
    revoked = live.metric("huuva_live_streams_revoked_total")
    with live.listen("main", "1", pairing="out") as out, live.listen("main", "1", pairing="in") as stays:
        out.until("hello")
        stays.until("hello")
        began = time.monotonic()
        live.end_pairing("main", "out")
        while out.event():
            pass
        assert time.monotonic() - began < 1
        live.publish("main")
        stays.until("hint")

    assert live.metric("huuva_live_streams_revoked_total") == revoked + 1
    _, response = live.request(live.token(pairing="out"))
    assert response.status == 403
    assert problem(response)["code"] == "token_revoked"


def test_a_revocation_is_known_to_live_that_starts_later(live: LiveProcess) -> None:
    live.stop()
    live.end_pairing("main", "before")
    live.start()

    _, response = live.request(live.token(pairing="before"))

    assert response.status == 403
    assert problem(response)["code"] == "token_revoked"


def test_a_revocation_while_valkey_is_away_counts_as_soon_as_it_is_back(live: LiveProcess) -> None:
    publisher = Publisher(ValkeyClient(live.redis_url))
    with live.listen("main", "1", pairing="away") as screen:
        screen.until("hello")
        live.stop_valkey()
        publisher.end_pairing("main", "away")
        screen.until("beat", valkey=False)
        live.start_valkey()
        assert publisher.flush(10)
        while screen.event():
            pass


def test_no_token_outlives_what_valkey_may_have_lost() -> None:
    """A page asks for a fresh one at least twice a minute, hidden ones once, and renews its stream in time."""
    script = (PROJECT_ROOT / "static/kitchen_display/js/stream.js").read_text()
    renews = re.search(r"const RENEW_MS = (\d+);", script)
    assert renews is not None

    assert 1.15 * int(renews[1]) / 1000 + 60 + 60 < LIFETIME_SECONDS <= 600


def test_ended_pairings_are_dropped_with_their_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = Streams(most=9)
    streams.end_pairing("")
    assert not streams.has_ended("")
    streams.end_pairing("out")
    streams.tick()
    assert streams.has_ended("out")

    later = time.time() + LIFETIME_SECONDS
    monkeypatch.setattr(time, "time", lambda: later)
    streams.tick()
    assert not streams.has_ended("out")


def test_the_last_hint_goes_out_before_a_stream_ends_and_none_after() -> None:
    streams = Streams(most=9)
    stream = streams.open(Grant("main", "1", 2**40, "out"), lambda: None)
    streams.hint(Hint("main", "screens"))
    streams.end_pairing("out")
    streams.hint(Hint("main", "orders"))

    assert "screens" in (last := str(sent_next(stream))) and "orders" not in last
    assert sent_next(stream) is None


@pytest.mark.parametrize(
    "origin",
    [
        "http://127.0.0.1:{web}",
        "http://localhost:{web}",
        "https://wall.example.com",
        "https://north.kitchens.example",
    ],
)
def test_pages_of_web_may_listen(origin: str, live: LiveProcess) -> None:
    origin = origin.format(web=live.web_port)
    for method, status in (("GET", 200), ("OPTIONS", 204)):
        connection, response = live.request(live.token(), method, {"Origin": origin})
        assert response.status == status
        assert response.headers["Access-Control-Allow-Origin"] == origin
        assert response.headers["Vary"] == "Origin"
        response.close()
        connection.close()


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost:1", "null", "https://wall.example.com.evil.example"]
)
def test_pages_of_others_may_not(origin: str, live: LiveProcess) -> None:
    _, response = live.request(live.token(), "GET", {"Origin": origin})

    assert response.status == 403
    assert "Access-Control-Allow-Origin" not in response.headers
    assert problem(response)["code"] == "origin_not_allowed"


def test_a_refusal_can_be_read_by_the_page(live: LiveProcess) -> None:
    _, response = live.request("abc", "GET", {"Origin": f"http://localhost:{live.web_port}"})

    assert response.headers["Access-Control-Allow-Origin"] == f"http://localhost:{live.web_port}"


def test_other_methods_are_refused(live: LiveProcess) -> None:
    _, response = live.request(live.token(), "POST")

    assert response.status == 405
    assert response.headers["Allow"] == "GET, OPTIONS"
    assert problem(response)["code"] == "method_not_allowed"


# --- coming and going -----------------------------------------------------------------------------------------------


def test_a_screen_that_goes_frees_its_stream(live: LiveProcess) -> None:
    before = live.metric("huuva_live_streams")
    with live.listen() as screen:
        screen.until("hello")
        assert live.metric("huuva_live_streams") == before + 1

    deadline = time.monotonic() + 5
    while live.metric("huuva_live_streams") > before:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_hints_are_counted(live: LiveProcess) -> None:
    received, passed = (live.metric(f"huuva_live_hints_{name}_total") for name in ("received", "passed"))
    with live.listen("main", "1") as one, live.listen("main", "2") as two:
        one.until("hello")
        two.until("hello")
        live.publish("main")
        one.until("hint")
        two.until("hint")

    assert live.metric("huuva_live_hints_received_total") == received + 1
    assert live.metric("huuva_live_hints_passed_total") == passed + 2


def test_it_stops_soon_though_screens_listen(live_process: LiveProcess) -> None:
    with live_process.listen() as screen:
        screen.until("hello")
        seconds = live_process.stop()
    live_process.start()

    assert seconds < 5
