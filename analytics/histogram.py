"""A mergeable histogram of durations, for percentiles within 2 %.

The buckets are those of DDSketch (Masson, Rim, Lee: VLDB 2019): bucket 0 holds the duration 0, bucket i from 1 on those
above GROWTH^(i-2) and up to GROWTH^(i-1) microseconds. Each stands for one value, whose relative distance from all
durations in it is at most ERROR. Two histograms are merged by adding their counts, exactly and in any order, also in
the database. The bound holds against the true percentile, the smallest duration that at least that share of the
durations does not exceed (SQL's percentile_disc).

No library: ddsketch has had no release since 2024, and those for HDR histograms keep binary blobs that SQL can't add.
"""

import math
from collections.abc import Mapping
from typing import Final

# The largest relative error of a percentile. Changing it needs `manage.py rebuild_analytics`.
ERROR: Final = 0.02
GROWTH: Final = (1 + ERROR) / (1 - ERROR)
_LOG: Final = math.log(GROWTH)

Histogram = Mapping[int, int]


def bucket_of(micros: int) -> int:
    """The bucket of a duration of 0 or more microseconds."""
    return 1 + math.ceil(math.log(micros) / _LOG) if micros > 0 else 0


def value_of(bucket: int) -> float:
    """The duration that represents a bucket, in microseconds."""
    return 2 * GROWTH ** (bucket - 1) / (GROWTH + 1) if bucket > 0 else 0.0


def percentiles(histogram: Histogram, shares: tuple[float, ...]) -> list[float]:
    """The duration in microseconds of each share (0.5 is the median), ascending. The histogram is not empty."""
    counts = sorted(histogram.items())
    total = sum(histogram.values())
    values: list[float] = []
    below, index = 0, -1
    for share in shares:
        rank = max(1, math.ceil(share * total))
        while below < rank:
            index += 1
            below += counts[index][1]
        values.append(value_of(counts[index][0]))
    return values
