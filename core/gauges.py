"""Metrics that are computed at each scrape. Apps register theirs in `ready()`; prometheus_client writes the text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

# The labels of a value, and the value now.
type Sample = tuple[dict[str, str], float]
type Samples = Callable[[], Iterable[Sample]]

_registered: dict[str, Callable[[], Metric]] = {}


def register_gauge(name: str, text: str, samples: Samples) -> None:
    """For an app's `ready()`: a gauge, computed at each scrape."""
    _registered[name] = lambda: gauge(name, text, samples())


def register_counter(name: str, text: str, samples: Samples) -> None:
    """Like `register_gauge`, for stored sums that never fall: Prometheus takes a fall for a restart."""
    _registered[name] = lambda: counter(name, text, samples())


def registered() -> Iterator[Metric]:
    for metric in _registered.values():
        yield metric()


def gauge(name: str, text: str, samples: Iterable[Sample]) -> Metric:
    return _with_samples(GaugeMetricFamily(name, text), name, samples)


def counter(name: str, text: str, samples: Iterable[Sample]) -> Metric:
    """`name` ends in `_total`."""
    return _with_samples(CounterMetricFamily(name, text), name, samples)


def exposition(metrics: Iterable[Metric]) -> str:
    """These metrics in the text format of Prometheus."""

    class Collected:
        def collect(self) -> Iterable[Metric]:
            return metrics

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collected())
    return generate_latest(registry).decode()


def _with_samples(metric: Metric, name: str, samples: Iterable[Sample]) -> Metric:
    for labels, value in samples:
        metric.add_sample(name, labels, value)
    return metric
