import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.key_cache import key_cache
from integrations.models import IdempotencyRecord
from integrations.tasks import purge_idempotency_records
from integrations.tests import factories, idempotency_urls
from orders.models import Brand, Order
from orders.tests.factories import kitchen

pytestmark = [pytest.mark.django_db, pytest.mark.urls("integrations.tests.idempotency_urls")]

Answer = HttpResponse


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    key_cache.clear()
    yield
    key_cache.clear()


@pytest.fixture
def plain() -> str:
    return factories.api_key()[1]


def post(plain: str, body: Any, key: str | None = "k1", path: str = "/brands", method: str = "POST") -> Any:
    headers = {"Authorization": f"Bearer {plain}"}
    if key is not None:
        headers["Idempotency-Key"] = key
    client = Client(raise_request_exception=False)
    return client.generic(method, path, body, content_type="application/json", headers=headers)


SUSHI = b'{"name": "Sushi"}'


def test_without_the_header_each_request_does_its_work(plain: str) -> None:
    assert {post(plain, SUSHI, None).status_code for _ in range(2)} == {201}
    assert Brand.objects.count() == 2
    assert not IdempotencyRecord.objects.exists()


def test_the_same_request_again_gets_the_first_answer_byte_by_byte(plain: str) -> None:
    first = post(plain, SUSHI)
    again = post(plain, SUSHI)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again["Content-Type"] == first["Content-Type"]
    assert again["Location"] == first["Location"] == f"/brands/{first.json()['id']}"
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert "X-Once" not in again
    assert Brand.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "path"), [(b'{"name": "Burger"}', "/brands"), (SUSHI + b" ", "/brands"), (SUSHI, "/brands?x=1")]
)
def test_the_same_key_with_another_request_is_refused(plain: str, body: bytes, path: str) -> None:
    post(plain, SUSHI)

    answer = post(plain, body, path=path)

    assert answer.status_code == 422
    assert answer.json()["code"] == "idempotency_mismatch"
    assert Brand.objects.count() == 1


@pytest.mark.parametrize(("path", "method"), [("/other", "POST"), ("/brands", "PATCH")])
def test_another_route_is_another_request(plain: str, path: str, method: str) -> None:
    post(plain, SUSHI)

    assert post(plain, SUSHI, path=path, method=method).status_code == 201
    assert Brand.objects.count() == 2


def test_another_api_key_is_another_client(plain: str) -> None:
    post(plain, SUSHI)

    assert "Idempotent-Replayed" not in post(factories.api_key("foodora")[1], SUSHI)
    assert Brand.objects.count() == 2


def test_with_and_without_a_trailing_slash_is_one_route(plain: str) -> None:
    post(plain, SUSHI)

    assert post(plain, SUSHI, path="/brands/").status_code == 422


@pytest.mark.parametrize(("then", "status"), [("refuse", 409), ("missing", 404)])
def test_a_refusal_is_kept_and_what_was_begun_is_undone(plain: str, then: str, status: int) -> None:
    body = f'{{"name": "Sushi", "then": "{then}"}}'
    first = post(plain, body)
    again = post(plain, body)

    assert first.status_code == again.status_code == status
    assert again.content == first.content
    assert again["Content-Type"] == "application/problem+json"
    assert again["Idempotent-Replayed"] == "true"
    assert not Brand.objects.exists()


def test_a_body_that_is_no_json_uses_up_no_key(plain: str) -> None:
    """It may be half of a request whose connection broke, and the whole of it comes again."""
    assert post(plain, SUSHI[:-1]).status_code == 400
    assert not IdempotencyRecord.objects.exists()
    assert post(plain, SUSHI).status_code == 201


@pytest.mark.parametrize(("then", "status"), [("away", 503), ("answer away", 503), ("later", 409)])
def test_what_says_try_again_is_not_kept_and_leaves_nothing(plain: str, then: str, status: int) -> None:
    body = f'{{"name": "Sushi", "then": "{then}"}}'
    assert post(plain, body).status_code == status
    assert "Idempotent-Replayed" not in post(plain, body)

    assert not Brand.objects.exists()
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_refusal_that_can_not_be_stored_without_the_database_is_a_503(plain: str) -> None:
    answer = post(plain, b'{"name": "Sushi", "then": "refuse, cut off"}')

    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert not Brand.objects.exists()
    assert not IdempotencyRecord.objects.exists()


def test_a_fault_of_ours_is_not_kept_and_leaves_nothing(plain: str) -> None:
    assert post(plain, b"{}").status_code == 500

    assert not Brand.objects.exists()
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.parametrize("key", ["", "x" * 256, "ä", "a\tb"])
def test_a_key_that_is_none_is_pointed_at(plain: str, key: str) -> None:
    answer = post(plain, SUSHI, key)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "Idempotency-Key"
    assert not Brand.objects.exists()


@pytest.mark.parametrize("key", ["x", "x" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "a b~!"])
def test_any_printable_key_is_taken(plain: str, key: str) -> None:
    assert post(plain, SUSHI, key).status_code == 201


def test_after_72_hours_a_key_is_new_again(plain: str) -> None:
    post(plain, SUSHI)
    IdempotencyRecord.objects.update(created_at=timezone.now() - timedelta(hours=72, seconds=1))

    answer = post(plain, b'{"name": "Burger"}')

    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer
    assert Brand.objects.count() == 2
    assert post(plain, b'{"name": "Burger"}')["Idempotent-Replayed"] == "true"


def test_just_before_72_hours_a_key_is_remembered(plain: str) -> None:
    post(plain, SUSHI)
    IdempotencyRecord.objects.update(created_at=timezone.now() - timedelta(hours=71, minutes=59))

    assert post(plain, SUSHI)["Idempotent-Replayed"] == "true"


def test_it_costs_three_statements_and_a_replay_two(plain: str) -> None:
    post(plain, SUSHI, "warm")
    with CaptureQueriesContext(connection) as without:
        post(plain, SUSHI, None)
    with CaptureQueriesContext(connection) as first:
        post(plain, SUSHI)
    with CaptureQueriesContext(connection) as replay:
        post(plain, SUSHI)

    assert len(work(first)) == len(work(without)) + 3
    assert len(work(replay)) == 2


def work(queries: CaptureQueriesContext) -> list[str]:
    statements = [query["sql"] for query in queries.captured_queries]
    return [
        sql
        for sql in statements
        if not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT"))
    ]


def test_very_long_paths_have_a_route_too(plain: str) -> None:
    from integrations.idempotency import route_of

    long, longer = "/a" * 3000, "/a" * 3001
    assert len(route_of("POST", long)) < 100
    assert route_of("POST", long) != route_of("POST", longer)
    assert "\x00" not in route_of("POST", "/orders/\x00")


@pytest.mark.django_db(transaction=True)
def test_eight_same_requests_at_once_do_the_work_once() -> None:
    plain = factories.api_key()[1]

    def send(_: int) -> Any:
        try:
            return post(plain, SUSHI)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))

    assert Brand.objects.count() == 1
    done = [answer for answer in answers if answer.status_code == 201]
    refused = [answer for answer in answers if answer.status_code != 201]
    assert len({answer.content for answer in done}) == 1
    assert sum("Idempotent-Replayed" not in answer for answer in done) == 1
    assert all((answer.status_code, answer["Retry-After"]) == (409, "1") for answer in refused)
    assert all(answer.json()["code"] == "idempotency_in_progress" for answer in refused)


@pytest.mark.django_db(transaction=True)
def test_while_the_first_request_runs_only_the_second_has_to_wait() -> None:
    plain = factories.api_key()[1]
    body = b'{"name": "Sushi", "then": "wait"}'
    idempotency_urls.inside.clear()
    idempotency_urls.go_on.clear()

    def send() -> Any:
        try:
            return post(plain, body)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send)
        assert idempotency_urls.inside.wait(10)
        second = post(plain, body)
        other = post(plain, b'{"name": "Burger"}', "k2")
        idempotency_urls.go_on.set()
        assert first.result().status_code == 201

    assert (second.status_code, second["Retry-After"]) == (409, "1")
    assert other.status_code == 201
    assert post(plain, body)["Idempotent-Replayed"] == "true"


def test_purge_takes_what_has_outlived_its_time_and_nothing_else(plain: str) -> None:
    for number in range(5):
        post(plain, SUSHI, f"k{number}")
    old = ["k0", "k1", "k2"]
    IdempotencyRecord.objects.filter(key__in=old).update(created_at=timezone.now() - timedelta(hours=73))

    assert purge_idempotency_records() == 3
    assert purge_idempotency_records() == 0
    assert sorted(IdempotencyRecord.objects.values_list("key", flat=True)) == ["k3", "k4"]


def test_purge_works_through_more_than_one_batch(plain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.tasks.BATCH", 2)
    for number in range(5):
        post(plain, SUSHI, f"k{number}")
    IdempotencyRecord.objects.update(created_at=timezone.now() - timedelta(hours=73))

    assert purge_idempotency_records() == 5


@pytest.mark.urls("huuva.urls")
@pytest.mark.django_db(transaction=True)
def test_eight_same_orders_at_once_with_one_key_are_one_order() -> None:
    kitchen("main")
    plain = factories.api_key()[1]
    order = {
        "account": "a1",
        "brandId": "b1",
        "channelOrderId": "W-1",
        "customer": {"name": "Aino", "phoneNumber": "+358401234567"},
        "pickupTime": (timezone.now() + timedelta(minutes=20)).isoformat(),
        "items": [{"plu": "SOUP", "name": "Salmon soup", "quantity": 1}],
    }

    def send(_: int) -> Any:
        try:
            return post(plain, json.dumps(order), path="/api/orders")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))

    done = {answer.content for answer in answers if answer.status_code == 201}
    assert len(done) == 1, [answer.content for answer in answers]
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert all(answer["Retry-After"] == "1" for answer in answers if answer.status_code == 409)
    assert list(Order.objects.values_list("pk", flat=True)) == [json.loads(done.pop())["id"]]
