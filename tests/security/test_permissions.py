"""Who may call what: every address of the resolver, held against `permissions.txt`."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from integrations.permissions import required_scope
from tests.security import table
from tests.security.addresses import Call, addresses, all_calls
from tests.security.calls import Answer, send, without_csrf
from tests.security.pages import complaints
from tests.security.tenants import CUSTOMER, OURS, Tenants, without

# pytest-django's own transaction of each test lies inside that of the tenants.
pytestmark = pytest.mark.django_db
HOW = """
Say in tests/security/permissions.txt who may call it. The line to begin with, as the server answers now;
read it cell by cell, and change the server where a cell is wrong:
{lines}"""
# Who may read what is of the first kitchen.
INSIDERS = {"screen", "key", "key0", "manager", "operations", "support", "superuser"}


class Answers:
    """How each caller is answered, called once."""

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants
        self._answers: dict[str, dict[Call, Answer]] = {}
        self._scopes = {(address, method): scope for address, method, scope in _scopes()}
        self._keys: dict[str | None, Client] = {}

    def of(self, caller: str) -> dict[Call, Answer]:
        if caller not in self._answers:
            self._answers[caller] = {each: self._send(caller, each) for each in all_calls()}
        return self._answers[caller]

    def _send(self, caller: str, call: Call) -> Answer:
        return send(self._client(caller, call), self._tenants, call)

    def _client(self, caller: str, call: Call) -> Client:
        if caller != "key0":
            return self._tenants.callers[caller]
        scope = self._scopes.get((call.path, call.method))
        if scope not in self._keys:
            self._keys[scope] = without(scope)
        return self._keys[scope]


def _scopes() -> Iterator[tuple[str, str, str | None]]:
    for address, view in addresses():
        for method, action in (getattr(view, "actions", None) or {}).items():
            yield address, method.upper(), required_scope(view.cls, action)


@pytest.fixture(scope="module")
def answers(tenants: Tenants) -> Answers:
    return Answers(tenants)


def words(answers: Answers, calls: list[Call]) -> dict[Call, dict[str, str]]:
    return {each: {caller: answers.of(caller)[each].word(each) for caller in table.CALLERS} for each in calls}


def test_every_address_has_a_line_in_the_table_and_every_line_an_address(answers: Answers) -> None:
    there, written = set(all_calls()), set(table.read())
    if os.environ.get("HUUVA_WRITE_PERMISSIONS"):
        Path(os.environ["HUUVA_WRITE_PERMISSIONS"]).write_text(table.written(words(answers, sorted(there))))

    new, old = sorted(there - written), sorted(written - there)

    assert not new, f"{len(new)} new:" + HOW.format(lines=table.written(words(answers, new)))
    assert not old, (
        "No such address or method any more; take these lines out of permissions.txt:\n"
        + "\n".join(f"{each.address} {each.method}" for each in old)
    )


@pytest.mark.parametrize("caller", table.CALLERS)
def test_a_caller_is_answered_as_the_table_says(answers: Answers, caller: str) -> None:
    written, answered = table.read(), answers.of(caller)

    wrong = [
        f"{each.method} {each.address}: {answer.word(each)} instead of {written[each][caller]}"
        + (f", wrote {answer.wrote[0][:120]}" if answer.wrote else "")
        for each, answer in answered.items()
        if each in written and answer.word(each) != written[each][caller]
    ]

    assert not wrong, f"{caller} is not answered as permissions.txt says:\n" + "\n".join(wrong)


@pytest.mark.parametrize("caller", table.CALLERS)
def test_no_caller_sees_what_is_not_for_them(answers: Answers, caller: str) -> None:
    if caller == "support":
        mark, who = CUSTOMER, "who may not see customers' data"
    elif caller in INSIDERS:
        mark, who = "Traceback (most recent call last)", "who is told our faults"
    else:
        mark, who = OURS, "of another kitchen"
    out = [
        f"{each.method} {each.address}: …{_around(answer.body, mark)}…"
        for each, answer in answers.of(caller).items()
        if mark.encode() in answer.body
    ]

    assert not out, f"{caller}, {who}, is told of it:\n" + "\n".join(out)


def _around(body: bytes, mark: str) -> str:
    at = body.index(mark.encode())
    return body[max(at - 80, 0) : at + 80].decode(errors="replace")


def test_the_pickup_board_names_no_customer(answers: Answers) -> None:
    for caller in ("nobody", "screen"):
        for each, answer in answers.of(caller).items():
            assert not each.path.startswith("/pickup") or CUSTOMER.encode() not in answer.body, each


@pytest.mark.parametrize("caller", table.CALLERS)
def test_no_answer_is_our_fault(answers: Answers, caller: str) -> None:
    broken = [f"{each.method} {each.address}" for each, a in answers.of(caller).items() if a.status >= 500]
    # Without a worker and beat the server is not ready.
    assert [each for each in broken if "/readyz" not in each] == []


def test_who_may_not_read_may_not_write(answers: Answers) -> None:
    """By the table itself: where GET is refused, nothing else succeeds."""
    rows = table.read()
    wrong = []
    for each, row in rows.items():
        reads = rows.get(Call(each.path, "GET"))
        for caller, word in row.items():
            refused = reads is not None and reads[caller] in ("401", "403", "404", "login", "gone")
            if each.method != "GET" and refused and (word.endswith("!") or word.startswith("2")):
                wrong.append(f"{each.method} {each.address}: {caller} gets {word} and may not read")
    assert wrong == []


WRITTEN_BY_READING = {
    "/api/analytics/refresh-materialized-views",  # the old name of POST /api/analytics/refresh
}


def test_reading_changes_nothing() -> None:
    for each, row in table.read().items():
        if each.method == "GET" and each.address not in WRITTEN_BY_READING:
            assert not any(word.endswith("!") for word in row.values()), each


@pytest.mark.parametrize("caller", ["superuser", "screen"])
def test_forms_from_other_sites_change_nothing(tenants: Tenants, caller: str) -> None:
    with without_csrf(tenants.callers[caller]) as client:
        for address in sorted({each.address for each in all_calls()}):
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                answer = send(client, tenants, Call(address, method))
                assert not answer.wrote, f"{method} {address}: {answer.status} {answer.wrote}"
                assert answer.status >= 300, f"{method} {address}: {answer.status}"


@pytest.mark.parametrize("caller", table.CALLERS)
def test_every_answer_has_the_security_headers(answers: Answers, caller: str) -> None:
    wrong = [
        f"{each.method} {each.address}: {complaint}"
        for each, answer in answers.of(caller).items()
        for complaint in complaints(each.path, answer)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        (
            "/admin/kitchen_display/screen/add/",
            {"name": "Spy", "kind": "kitchen", "text_scale": 100, "columns": 0},
        ),
        (
            "/admin/kitchen_display/station/add/",
            {"name": "Spy", "slug": "spy", "rules-TOTAL_FORMS": 0, "rules-INITIAL_FORMS": 0},
        ),
    ],
)
def test_a_manager_makes_things_in_the_own_kitchen_only(
    tenants: Tenants, address: str, fields: dict[str, Any]
) -> None:
    manager = tenants.callers["manager2"]
    forms = {"rules-MIN_NUM_FORMS": 0, "rules-MAX_NUM_FORMS": 9} | fields

    refused = manager.post(address, {**forms, "kitchen": tenants.ours.pk})
    done = manager.post(address, {**forms, "kitchen": tenants.theirs.pk})

    assert refused.status_code == 200, "the form comes again"
    assert done.status_code == 302


ODD = (
    "?p=x&page=x&o=x.-9&e=1&q=%FF&s=%FF&_to_field=x&_popup=1",
    "?p=999999999&page=99999&s=a&all=&o=1.2.3.4",
    "?%F0=1&x=1",
)


def test_odd_queries_are_no_fault_of_ours(tenants: Tenants) -> None:
    broken = []
    for each in all_calls():
        if each.method == "GET" and not each.path.startswith("/api") and not {"?", "<"} & set(each.path):
            caller = "superuser" if each.path.startswith("/admin") else "screen"
            for query in ODD:
                answer = send(tenants.callers[caller], tenants, each, query)
                if answer.status >= 500:
                    broken.append(f"{each.path}{query} as {caller}")
    assert broken == []


@pytest.mark.parametrize(
    "column", ["customer_name", "customer_phone", "note", "items__note", "amendments__changes"]
)
def test_what_a_list_does_not_show_cannot_be_guessed_by_its_filters(tenants: Tenants, column: str) -> None:
    for address in ("/admin/orders/order/", "/admin/orders/order/export/"):
        for caller in ("support", "superuser"):
            answer = send(tenants.callers[caller], tenants, Call(address, "GET"), f"?{column}__startswith=A")
            assert answer.status in (302, 400, 403), f"{address} as {caller}: {answer.status}"
