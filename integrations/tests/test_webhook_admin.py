"""Webhooks and their log in admin."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from integrations.deliveries import create, health
from integrations.models import Delivery, DeliveryProgress, Sink, WebhookEndpoint
from integrations.tests.factories import endpoint
from orders.feed import Cursor
from orders.models import KitchenMember
from orders.statuses import RECEIVED
from orders.tests import factories

pytestmark = pytest.mark.django_db

LIST = "admin:integrations_webhookendpoint_changelist"
ADD = "admin:integrations_webhookendpoint_add"
CHANGE = "admin:integrations_webhookendpoint_change"
LOG = "admin:integrations_delivery_changelist"
FORM = {
    "name": "Screen",
    "url": "https://shop.example.com/hook",
    "events": ["order.created"],
    "kitchen": "",
    "channel": "",
}


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("anna"))
    return client


def secret_on(page: Any) -> str | None:
    found = re.search(r"whsec_[A-Za-z0-9+/=]{40,}", page.content.decode())
    return found and found[0]


def test_a_new_webhook_shows_its_secret_once(manager: Client) -> None:
    page = manager.post(reverse(ADD), FORM)
    made = WebhookEndpoint.objects.get()
    assert secret_on(page)
    assert (made.kind, made.owner, made.events) == ("webhook", "", ["order.created"])
    for url in (reverse(LIST), reverse(CHANGE, args=[made.pk])):
        shown = manager.get(url)
        assert shown.status_code == 200
        assert secret_on(shown) is None


@pytest.mark.parametrize("wrong", [{"url": "https://127.0.0.1/"}, {"events": []}, {"name": ""}])
def test_a_wrong_form_makes_nothing(manager: Client, wrong: dict[str, Any]) -> None:
    assert manager.post(reverse(ADD), FORM | wrong).status_code == 200
    assert not WebhookEndpoint.objects.exists()


def test_a_changed_webhook_keeps_its_health_but_for_a_new_url(manager: Client) -> None:
    made = endpoint()
    Sink.objects.update(failures=4)
    manager.post(reverse(CHANGE, args=[made.pk]), FORM | {"url": made.url, "name": "Renamed"})
    made.refresh_from_db()
    assert (made.name, made.failures) == ("Renamed", 4)
    manager.post(
        reverse(CHANGE, args=[made.pk]), FORM | {"url": "https://new.example.com/", "name": "Renamed"}
    )
    made.refresh_from_db()
    assert (made.url, made.failures) == ("https://new.example.com/", 0)


def test_a_secret_is_rotated_after_a_question(manager: Client) -> None:
    made = endpoint()
    url = reverse("admin:integrations_webhookendpoint_rotate", args=[made.pk])
    assert secret_on(manager.get(url)) is None
    secret = secret_on(manager.post(url))
    assert secret and secret != made.plain_secret  # type: ignore[attr-defined]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("action", ["enable", "disable", "replay_day", "delete_for_good"])
def test_actions_work_on_what_is_chosen(manager: Client, action: str) -> None:
    chosen, other = endpoint(), endpoint()
    factories.order(RECEIVED)
    # A replay tells what the feed has given already; the rest it gives by itself.
    DeliveryProgress.objects.create(cursor=str(Cursor(1 << 62)))
    if action == "enable":
        health.disable(chosen.pk, Sink.Disabled.GONE)
    asked = {"action": action, "_selected_action": [chosen.pk]}
    answer = manager.post(reverse(LIST), asked)
    if action == "delete_for_good":
        # Its log goes with it, so it asks first.
        assert "deleted, for good" in answer.content.decode()
        chosen.refresh_from_db()
        assert chosen.active
        manager.post(reverse(LIST), {**asked, "confirmed": "yes"})
    chosen.refresh_from_db()
    other.refresh_from_db()
    assert other.active
    assert chosen.active is (action in ("enable", "replay_day"))
    assert Delivery.objects.count() == (1 if action == "replay_day" else 0)


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Sink.Disabled.FAILING, "It failed for five days"),
        (Sink.Disabled.KEY_EXPIRED, "Its key has expired"),
    ],
)
def test_webhook_disabled_by_nobody_is_on_the_front_page(
    manager: Client, reason: Sink.Disabled, text: str
) -> None:
    made = endpoint()
    health.disable(made.pk, reason)
    page = manager.get(reverse("admin:index")).content.decode()
    assert f"The webhook Shop is disabled: {text}." in page
    health.enable(made.pk)
    assert "is disabled" not in manager.get(reverse("admin:index")).content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_log_costs_the_same_with_many_deliveries_and_counts_nothing(manager: Client) -> None:
    made = endpoint()

    def queries(number: int) -> list[str]:
        for _ in range(number):
            factories.order(RECEIVED)
        create.make_deliveries()
        with CaptureQueriesContext(connection) as captured:
            assert manager.get(reverse(LOG)).status_code == 200
        return [query["sql"] for query in captured.captured_queries]

    few, many = queries(1), queries(20)
    assert Delivery.objects.count() == 21
    assert len(few) == len(many)
    assert not any("COUNT(" in sql and "integrations_delivery" in sql for sql in many)
    assert manager.get(reverse(LOG), {"sink": made.pk, "state": "1"}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_delivery_shows_its_tries_and_is_sent_again(manager: Client) -> None:
    endpoint()
    factories.order(RECEIVED)
    create.make_deliveries()
    Delivery.objects.update(
        state=Delivery.State.GIVEN_UP,
        finished_at=timezone.now(),
        log=[{"at": "2026-05-01T18:00:00Z", "status": 500, "ms": 31, "error": "", "answer": "<b>broken</b>"}],
    )
    delivery = Delivery.objects.get()
    page = manager.get(reverse("admin:integrations_delivery_change", args=[delivery.pk])).content.decode()
    assert "&lt;b&gt;broken" in page
    manager.post(reverse(LOG), {"action": "send_again", "_selected_action": [delivery.pk]})
    delivery.refresh_from_db()
    assert delivery.state == Delivery.State.WAITING


@pytest.mark.django_db(transaction=True)
def test_the_log_is_searched_by_order(manager: Client) -> None:
    endpoint()
    first, _ = factories.order(RECEIVED), factories.order(RECEIVED)
    create.make_deliveries()
    page = manager.get(reverse(LOG), {"q": first.id})
    assert [delivery.order_id for delivery in page.context["cl"].result_list] == [first.id]


def test_a_manager_sees_and_creates_webhooks_of_their_kitchen_only(client: Client) -> None:
    main, other = factories.kitchen("main"), factories.kitchen("other")
    of_main, of_other = endpoint(kitchen=main), endpoint(kitchen=other)
    user = User.objects.create_user("ben", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="integrations"))
    KitchenMember.objects.create(user=user, kitchen=main)
    client.force_login(user)
    assert [found.pk for found in client.get(reverse(LIST)).context["cl"].result_list] == [of_main.pk]
    assert client.get(reverse(CHANGE, args=[of_other.pk])).status_code == 302
    client.post(reverse(LIST), {"action": "disable", "_selected_action": [of_other.pk]})
    of_other.refresh_from_db()
    assert of_other.active
    for kitchen in ("", "other"):
        client.post(reverse(ADD), FORM | {"kitchen": kitchen})
    assert WebhookEndpoint.objects.count() == 2
    client.post(reverse(ADD), FORM | {"kitchen": "main", "include_customer": "on"})
    assert not WebhookEndpoint.objects.exclude(pk__in=[of_main.pk, of_other.pk]).get().include_customer
