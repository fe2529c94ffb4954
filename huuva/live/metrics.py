"""GET /metrics of live, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from huuva.live.streams import Streams

CONTENT_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"
COUNTERS: Final = {
    "opened": ("huuva_live_streams_opened_total", "Streams opened since the start."),
    "dropped": ("huuva_live_streams_dropped_total", "Streams ended because nobody read them."),
    "revoked": ("huuva_live_streams_revoked_total", "Streams ended because their browser lost the screen."),
    "hints_received": ("huuva_live_hints_received_total", "Hints heard from Valkey."),
    "hints_passed": ("huuva_live_hints_passed_total", "Hints passed on, counted for each stream."),
}


def metrics(streams: Streams) -> bytes:
    return "\n".join([*_lines(streams), ""]).encode()


def _lines(streams: Streams) -> Iterator[str]:
    yield from _metric("huuva_live_streams", "gauge", "Screens connected now.", len(streams))
    yield from _metric(
        "huuva_live_valkey_up", "gauge", "1 while hints can be heard, else 0.", int(streams.valkey_up)
    )
    for key, (name, text) in COUNTERS.items():
        yield from _metric(name, "counter", text, streams.counts[key])
    name = "huuva_live_hint_delay_seconds_total"
    text = "Time from commit to here, of all received hints together."
    yield from _metric(name, "counter", text, round(streams.delay_seconds, 6))


def _metric(name: str, kind: str, text: str, value: float) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"
    yield f"{name} {value}"
