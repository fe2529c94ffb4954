import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.histogram import ERROR, GROWTH, bucket_of, percentiles, value_of

lengths = st.integers(0, 100 * 365 * 24 * 3600 * 10**6)


@given(lengths)
def test_a_bucket_stands_for_what_it_holds_within_two_percent(micros: int) -> None:
    assert abs(value_of(bucket_of(micros)) - micros) <= ERROR * micros * (1 + 1e-9)


@pytest.mark.parametrize("power", range(0, 800, 7))
def test_the_bound_holds_at_the_edges_of_buckets(power: int) -> None:
    for micros in {math.floor(GROWTH**power), math.ceil(GROWTH**power)}:
        assert abs(value_of(bucket_of(micros)) - micros) <= ERROR * micros * (1 + 1e-9)


def test_longer_lengths_have_no_lower_bucket() -> None:
    buckets = [bucket_of(micros) for micros in range(5000)]
    assert buckets == sorted(buckets)
    assert (buckets[0], buckets[1]) == (0, 1)


@given(st.lists(lengths, min_size=1), st.lists(lengths))
def test_percentiles_of_merged_histograms_are_those_of_all_lengths(
    some: list[int], others: list[int]
) -> None:
    merged: dict[int, int] = {}
    for micros in some + others:
        bucket = bucket_of(micros)
        merged[bucket] = merged.get(bucket, 0) + 1
    ordered = sorted(some + others)
    for share, found in zip((0.5, 0.9, 0.95), percentiles(merged, (0.5, 0.9, 0.95)), strict=True):
        exact = ordered[max(0, math.ceil(share * len(ordered)) - 1)]
        assert abs(found - exact) <= ERROR * exact * (1 + 1e-9)


def test_one_length_is_every_percentile() -> None:
    histogram = {bucket_of(60_000_000): 1}
    assert len(set(percentiles(histogram, (0.5, 0.9, 0.95)))) == 1
