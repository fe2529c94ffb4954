"""A mergeable histogram of lengths of time, for percentiles within 2 %.

The buckets are those of DDSketch (Masson, Rim, Lee: VLDB 2019): bucket 0 holds the length 0, bucket i from 1 on the
lengths above GROWTH^(i-2) and up to GROWTH^(i-1) microseconds. Each stands for the one value that is at most ERROR
away, relatively, from all that it holds. Two histograms merge by adding their counts, exactly and in any order, which
the database can do too. The bound holds against the true percentile of the same lengths, the smallest one that at
least that share of them does not exceed (SQL's percentile_disc).

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
    """The bucket that holds a length in microseconds, from 0 on."""
    return 1 + math.ceil(math.log(micros) / _LOG) if micros > 0 else 0


def value_of(bucket: int) -> float:
    """The length that a bucket stands for, in microseconds."""
    return 2 * GROWTH ** (bucket - 1) / (GROWTH + 1) if bucket > 0 else 0.0


def percentiles(histogram: Histogram, shares: tuple[float, ...]) -> list[float]:
    """For each share (0.5 is the median), ascending, the length in microseconds. The histogram is not empty."""
    counts = sorted(histogram.items())
    total = sum(histogram.values())
    found: list[float] = []
    below, place = 0, -1
    for share in shares:
        rank = max(1, math.ceil(share * total))
        while below < rank:
            place += 1
            below += counts[place][1]
        found.append(value_of(counts[place][0]))
    return found
