"""The list of orders: newest first, filters, and a cursor that stands still while orders come in."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from tests.api.client import Client, new_items, pages, unique


def ids(orders: list[dict[str, Any]]) -> list[str]:
    return [order["id"] for order in orders]


def test_the_list_shows_whole_orders_newest_first(client: Client) -> None:
    account = unique("account")
    created = ["2021-01-01T10:00:00Z", "2021-01-03T10:00:00Z", "2021-01-02T10:00:00Z"]
    orders = [client.created(account=account, created=time) for time in created]
    assert client.stored(account=account) == [orders[1], orders[2], orders[0]]


def test_limit_is_50_by_default_and_links_are_null_at_the_ends(client: Client) -> None:
    account = unique("account")
    for _ in range(51):
        client.created(account=account, items=new_items("A"))
    page = client.get(f"/orders?account={account}").json()
    assert len(page["results"]) == 50
    assert page["previous"] is None
    assert page["next"].startswith(f"{client.origin}/api/orders")
    rest = client.get(page["next"]).json()
    assert (len(rest["results"]), rest["next"]) == (1, None)
    whole = client.get(f"/orders?account={account}&limit=200").json()
    assert (len(whole["results"]), whole["next"], whole["previous"]) == (51, None, None)
    assert len(client.get(f"/orders?account={account}&limit=1").json()["results"]) == 1


@pytest.mark.parametrize("same_moment", [False, True], ids=["as they come", "all created at one moment"])
def test_pages_neither_skip_nor_repeat_while_orders_come_in(client: Client, same_moment: bool) -> None:
    account = unique("account")
    created = {"created": "2021-01-01T10:00:00Z"} if same_moment else {}
    old = [client.created(account=account, **created)["id"] for _ in range(8)]
    seen: list[str] = []
    links = []
    new = []
    for page in pages(client, f"/orders?account={account}&limit=3"):
        seen += ids(page)
        links.append(ids(page))
        new.append(client.created(account=account)["id"])
    assert set(old) <= set(seen)
    assert len(seen) == len(set(seen)) == 8
    if not same_moment:
        assert seen == old[::-1]

    last = f"/orders?account={account}&limit=3"
    url: str | None = last
    while url:
        page_now = client.get(url).json()
        last, url = url, page_now["next"]
    back: list[str] = []
    for page in pages(client, last, link="previous"):
        assert len(page) <= 3
        back = ids(page) + back
        new.append(client.created(account=account)["id"])
    assert len(back) == len(set(back))
    assert [order_id for order_id in back if order_id in old] == seen
    first_round = new[: len(links)]
    assert set(first_round) <= set(back), "the way back ends at the newest order"


def test_next_and_previous_keep_the_filters(client: Client) -> None:
    account = unique("account & co")
    for status in (1, 2, 3, 2, 1, 2):
        client.created(account=account, status=status)
    followed = list(pages(client, f"/orders?account={quote(account)}&status=2&status=RECEIVED&limit=2"))
    assert [len(page) for page in followed] == [2, 2, 1]
    assert {order["status"] for page in followed for order in page} == {"RECEIVED", "PREPARING"}


def test_filter_by_status_takes_numbers_and_names_and_several(client: Client) -> None:
    account = unique("account")
    by_status = {status: client.created(account=account, status=status)["id"] for status in (1, 2, 3, 4, 5)}
    names = ["RECEIVED", "PREPARING", "READY", "PICKED_UP", "CANCELLED"]
    for number, name in enumerate(names, start=1):
        assert ids(client.stored(account=account, status=str(number))) == [by_status[number]]
        assert ids(client.stored(account=account, status=name)) == [by_status[number]]
    answer = client.get(f"/orders?account={account}&status=5&status=READY&status=3")
    assert ids(answer.json()["results"]) == [by_status[5], by_status[3]]


@pytest.mark.parametrize("field", ["account", "brandId", "channelOrderId"])
@pytest.mark.parametrize("value", ["plain", "a b&c=d", "ä🍔", "%", "a+b", "_"])
def test_filter_by_what_the_channel_sent(client: Client, field: str, value: str) -> None:
    value = f"{value}{unique()}"
    order = client.created(**{field: value})
    client.created(**{field: value + "x"})
    assert client.stored(**{field: value}) == [order]
    assert client.stored(**{field: value.upper()}) == []


def test_filter_by_kitchen(anywhere: Client, other_kitchen: str) -> None:
    account = unique("account")
    here = anywhere.created(account=account, kitchen="main")
    there = anywhere.created(account=account, kitchen=other_kitchen)
    assert anywhere.stored(account=account, kitchen="main") == [here]
    assert anywhere.stored(account=account, kitchen=other_kitchen) == [there]
    assert anywhere.stored(account=account) == [there, here]


@pytest.mark.parametrize(
    "field, since, until", [("created", "from", "to"), ("pickupTime", "pickupFrom", "pickupTo")]
)
def test_filter_by_time(client: Client, field: str, since: str, until: str) -> None:
    account = unique("account")
    days = [f"2021-05-0{day}T12:00:00Z" for day in (1, 2, 3)]
    created = [client.created(account=account, **{field: day})["id"] for day in days]
    between = {since: "2021-05-02T00:00:00Z", until: "2021-05-03T00:00:00+00:00"}
    assert ids(client.stored(account=account, **between)) == [created[1]]
    assert set(ids(client.stored(account=account, **{since: "2021-05-02T15:00:00+03:00"}))) >= {created[2]}
    assert set(ids(client.stored(account=account, **{since: "2021-05-01T15:00:01+03:00"}))) == {
        created[1],
        created[2],
    }
    assert ids(client.stored(account=account, **{until: "2021-05-01T12:00:01.5Z"})) == [created[0]]
    assert client.stored(account=account, **{since: "2021-05-04T00:00:00Z"}) == []


def test_filter_by_last_update(client: Client) -> None:
    account = unique("account")
    first, second = client.created(account=account), client.created(account=account)
    assert client.stored(account=account, updatedAfter=second["updatedAt"]) == []
    client.move_item(first["id"], "BURGER-1", "PREPARING")
    assert ids(client.stored(account=account, updatedAfter=second["updatedAt"])) == [first["id"]]
    client.recall(second["id"])  # nothing to recall: nothing updated
    assert ids(client.stored(account=account, updatedAfter=second["updatedAt"])) == [first["id"]]


def test_filter_by_late_is_due_has_passed_and_not_ready(client: Client) -> None:
    account = unique("account")
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    later = "2099-01-01T00:00:00Z"
    waiting = client.created(account=account, pickupTime=soon)["id"]
    ready = client.created(account=account, pickupTime=soon, status="READY")["id"]
    scheduled = client.created(account=account, pickupTime=later)["id"]
    deadline = time.monotonic() + 30
    while not (late := client.stored(account=account, late="true")):
        assert time.monotonic() < deadline
    assert ids(late) == [waiting]
    assert ids(client.stored(account=account, late="false")) == [scheduled, ready]
    client.move(waiting, "READY")
    assert client.stored(account=account, late="true") == []


def test_a_key_of_a_kitchen_lists_only_its_orders(
    client: Client, anywhere: Client, other_kitchen: str
) -> None:
    account = unique("account")
    here = client.created(account=account)
    anywhere.created(account=account, kitchen=other_kitchen)
    assert client.stored(account=account) == [here]
    assert client.stored(account=account, kitchen=other_kitchen) == []
