"""When orders come: a Poisson process that follows the day of a kitchen."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Final

# Hour of the day and how busy it is, 1 at the dinner peak; linear in between.
DAY: Final = (
    *((0, 0.05), (2, 0.01), (8, 0.02), (10.5, 0.15), (12, 0.7), (13, 0.5), (15, 0.2), (16.5, 0.4)),
    *((18.5, 1.0), (19.5, 0.9), (21, 0.5), (22.5, 0.2), (24, 0.05)),
)
PEAK_HOUR: Final = 18.5


def busyness(hour: float) -> float:
    """From 0 to 1, at that hour of the day; 25 is one o'clock of the next day."""
    hour %= 24
    for (before, low), (after, high) in itertools.pairwise(DAY):
        if hour <= after:
            return low + (high - low) * (hour - before) / (after - before)
    raise AssertionError(hour)


def mean_busyness(minutes: float) -> float:
    """The mean over a rush of that length."""
    seconds = [minutes * 60 * (n + 0.5) / 100 for n in range(100)]
    return sum(busyness(hour_at(second, minutes)) for second in seconds) / len(seconds)


def hour_at(second: float, minutes: float) -> float:
    """The hour of the simulated day, `second` after the start of a rush of `minutes`: the peak is in its middle."""
    return PEAK_HOUR + (second / 60 - minutes / 2) / 60


def arrivals(rng: random.Random, rate: float, minutes: float) -> Iterator[float]:
    """Seconds after the start. `rate` is orders a minute at the peak."""
    second = 0.0
    while True:
        second += rng.expovariate(rate / 60)
        if second >= minutes * 60:
            return
        # Thinning: drawn as if it were always the peak, accepted with the probability `busyness`.
        if rng.random() < busyness(hour_at(second, minutes)):
            yield second
