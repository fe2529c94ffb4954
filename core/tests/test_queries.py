from typing import Annotated

import pytest
from django.http import QueryDict
from pydantic import Field, PlainValidator

from core.openapi import parameters
from core.problems import Problem
from core.queries import Query, Text, Time, up_to


class SampleQuery(Query):
    since: Time = Field(None, alias="from", description="Created at or after.")
    brand_id: Text = None
    limit: Annotated[int, Field(ge=1, le=200), up_to(200)] = 50
    tags: Annotated[list[str], PlainValidator(list)] = Field(default_factory=list)


def read(text: str) -> SampleQuery:
    return SampleQuery.read(QueryDict(text))


def test_an_empty_query_has_the_defaults() -> None:
    assert read("") == SampleQuery()
    assert read("from=&brandId=") == SampleQuery()


def test_the_last_of_repeated_values_counts_and_a_list_takes_all() -> None:
    query = read("brandId=sushi&brandId=burgers&tags=a&tags=b")
    assert (query.brand_id, query.tags) == ("burgers", ["a", "b"])


def test_a_plus_that_was_not_encoded_is_understood() -> None:
    assert read("from=2026-05-01T18:00:00+02:00") == read("from=2026-05-01T16:00:00Z")


def test_every_wrong_and_every_unknown_parameter_is_named() -> None:
    with pytest.raises(Problem) as refused:
        read("brand_id=sushi&limit=201&brandId=%00&from=now")

    assert refused.value.status_code == 400
    assert [(error["pointer"], error["code"]) for error in refused.value.errors] == [
        ("?from", "invalid"),
        ("?brandId", "invalid"),
        ("?limit", "invalid"),
        ("?brand_id", "unknown"),
    ]


def test_parameters_are_described_from_the_model() -> None:
    described = {one.name: (one.type, one.description) for one in parameters(SampleQuery)}

    assert list(described) == ["from", "brandId", "limit", "tags"]
    assert described["limit"] == ({"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, "")
    assert described["from"][1] == "Created at or after."
