"""Too many calls of one key are refused with the time to wait; other keys go on."""

from collections.abc import Callable

from tests.api.client import Client, check_problem, new_order, order_path

ALL = ["orders:read", "orders:write"]


def test_a_key_over_its_limit_waits(client: Client, client_with: Callable[..., Client]) -> None:
    limited = client_with(ALL, rate_limit=3)
    answers = [limited.get("/orders?limit=1") for _ in range(12)]  # a new minute may begin once in between
    passed = [answer for answer in answers if answer.status == 200]
    assert 3 <= len(passed) <= 6
    problem = check_problem(answers[-1], 429, "rate_limited")
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert str(problem["detail"])
    for answer in (answers[0], answers[-1]):
        assert [name for name in answer.headers if name.lower().startswith("ratelimit")]
    assert client.get("/orders?limit=1").status == 200


def test_a_refused_order_is_not_stored(client: Client, client_with: Callable[..., Client]) -> None:
    limited = client_with(ALL, rate_limit=1)
    bodies = [new_order() for _ in range(5)]
    statuses = [limited.create(body).status for body in bodies]
    assert set(statuses) == {201, 429}
    for body, status in zip(bodies, statuses, strict=True):
        assert client.get(order_path(body["id"])).status == (200 if status == 201 else 404)


def test_wrong_requests_count_too(client_with: Callable[..., Client]) -> None:
    limited = client_with(ALL, rate_limit=2)
    statuses = {limited.create(raw=b"not json").status for _ in range(8)}
    assert statuses == {400, 429}


def test_a_key_without_limit_is_never_stopped(client_with: Callable[..., Client]) -> None:
    free = client_with(ALL, rate_limit=0)
    assert {free.get("/orders?limit=1").status for _ in range(40)} == {200}
