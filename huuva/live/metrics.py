"""GET /metrics of live, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prometheus_client.core import Metric

from core.gauges import counter, exposition, gauge
from huuva.live.streams import Streams

COUNTERS: Final = {
    "opened": ("huuva_live_streams_opened_total", "Streams opened since the start."),
    "dropped": ("huuva_live_streams_dropped_total", "Streams ended because their client did not read."),
    "revoked": ("huuva_live_streams_revoked_total", "Streams ended because their browser lost the screen."),
    "hints_received": ("huuva_live_hints_received_total", "Hints received from Valkey."),
    "hints_passed": ("huuva_live_hints_passed_total", "Hints passed on, counted per stream."),
}


def metrics(streams: Streams) -> bytes:
    return exposition(_collected(streams)).encode()


def _collected(streams: Streams) -> Iterator[Metric]:
    yield gauge("huuva_live_streams", "Screens connected now.", [({}, len(streams))])
    yield gauge(
        "huuva_live_valkey_up", "1 while hints can be received, else 0.", [({}, int(streams.valkey_up))]
    )
    for key, (name, text) in COUNTERS.items():
        yield counter(name, text, [({}, streams.counts[key])])
    yield counter(
        "huuva_live_hint_delay_seconds_total",
        "Total time from commit to here of all received hints.",
        [({}, round(streams.delay_seconds, 6))],
    )
