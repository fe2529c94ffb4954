"""*Who changed what*: every change in the admin is listed for those who may see it; nobody can edit the list."""

from io import StringIO
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations.models import ApiKey, WebhookEndpoint
from integrations.tests.channels import factories as channel
from kitchen_display.tests import factories as display
from orders.audit import SYSTEM, shell_user
from orders.models import Kitchen, Order
from orders.services import move_order
from orders.statuses import PICKED_UP
from orders.tests import factories
from tests import planted

pytestmark = pytest.mark.django_db
LIST = reverse("admin:admin_logentry_changelist")


@pytest.fixture
def chief(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("anna"))
    return client


def change_target(client: Client, minutes: int) -> None:
    kitchen = factories.kitchen("main", name="Harju")
    url = reverse("admin:orders_kitchen_change", args=["main"])
    context = client.get(url).context
    form = context["adminform"].form
    values = {name: form.initial.get(name, "") for name in form.fields}
    for inline in context["inline_admin_formsets"]:
        prefix = inline.formset.prefix
        values |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    values = {name: value for name, value in values.items() if value not in (None, False)}
    answer = client.post(url, {**values, "target_minutes": minutes})
    assert answer.status_code == 302
    kitchen.refresh_from_db()
    assert kitchen.target_minutes == minutes


def test_a_change_of_settings_shows_who_and_what(chief: Client) -> None:
    change_target(chief, 33)

    page = chief.get(LIST).content.decode()

    for words in ("anna", "Harju", "changed", "Target, minutes"):
        assert words.lower() in page.lower(), words


def test_its_list_costs_the_same_however_long(chief: Client) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert chief.get(LIST).status_code == 200
        assert not any("COUNT(" in query["sql"] for query in queries)
        return len(queries)

    change_target(chief, 30)
    few = statements()
    for minutes in range(31, 61):
        LogEntry.objects.log_actions(
            User.objects.get().pk, Kitchen.objects.all(), 2, change_message=str(minutes), single_object=True
        )

    assert statements() == few <= 10


def test_nobody_edits_it(chief: Client) -> None:
    change_target(chief, 20)
    entry = LogEntry.objects.get()

    assert chief.get(reverse("admin:admin_logentry_add")).status_code == 403
    assert (
        chief.post(reverse("admin:admin_logentry_delete", args=[entry.pk]), {"post": "yes"}).status_code
        == 403
    )
    assert chief.post(reverse("admin:admin_logentry_change", args=[entry.pk]), {}).status_code == 403
    assert LogEntry.objects.count() == 1


def shown(chief: Client) -> str:
    """The text of the list, as a reader sees it."""
    page = chief.get(LIST).content.decode()
    return " ".join(page.replace("&#x27;", "'").split())


def finished(number: int) -> Order:
    for _ in range(number):
        order = factories.order()
        move_order(order.pk, PICKED_UP, actor="user:anna")
    return order


def read(answer: Any) -> None:
    assert answer.status_code == 200
    b"".join(answer.streaming_content)


def test_exports_of_orders_show_how_many_and_whether_with_customers(chief: Client) -> None:
    finished(3)
    read(chief.get(reverse("admin:orders_order_export_list")))
    assert "3 orders exported with their customers' data." in shown(chief)

    read(
        chief.post(
            reverse("admin:orders_order_changelist"),
            {"action": "export_orders", "_selected_action": [Order.objects.values_list("pk", flat=True)[0]]},
        )
    )
    assert "1 order exported with its customer's data." in shown(chief)
    assert LogEntry.objects.filter(user__username="anna").count() == 2


def test_an_export_and_an_erasure_of_a_customer_name_nobody(chief: Client) -> None:
    order = finished(2)
    url = reverse("admin:orders_order_customer", args=[order.pk])

    read(chief.get(url, {"export": 1}))
    chief.post(url, {"account": order.account})

    assert "All data of one customer exported: 2 orders." in shown(chief)
    assert "Customer erased: 2 orders of the account now called erased-" in shown(chief)
    for entry in LogEntry.objects.all():
        text = f"{entry.object_repr} {entry.change_message}"
        assert order.account not in text and planted.NAME not in text and planted.PHONE not in text


def test_a_refused_erasure_is_not_listed(chief: Client) -> None:
    order = factories.order()

    chief.post(reverse("admin:orders_order_customer", args=[order.pk]), {"account": order.account})

    assert not LogEntry.objects.exists()


def test_commands_are_listed_with_the_user_of_the_machine(chief: Client) -> None:
    finished(1)
    display.screen("grill-1")
    call_command("export_account", "acc-1", stdout=StringIO(), stderr=StringIO())
    call_command("erase_account", "acc-1", "--yes", stdout=StringIO())
    call_command("pair_screen", "grill-1", stdout=StringIO())
    call_command("create_api_key", "wolt", "--scope", "orders:read", stdout=StringIO(), stderr=StringIO())
    call_command("create_channel_link", "Wolt", stdout=StringIO())

    entries = LogEntry.objects.filter(user__username=SYSTEM)
    assert entries.count() == 5
    assert shown(chief).count(f"By {shell_user()} on the command line.") == 5
    user = User.objects.get(username=SYSTEM)
    assert not user.is_active and not user.has_usable_password() and not user.is_staff


def test_each_shown_secret_is_listed_without_the_secret(chief: Client) -> None:
    factories.kitchen("main")
    key_form = {"name": "wolt", "scopes": ["webhooks:manage"]}
    key_page = chief.post(reverse("admin:integrations_apikey_add"), key_form).content.decode()
    hook = {"name": "hook", "url": "https://hooks.example.com/x", "events": ["order.created"]}
    chief.post(reverse("admin:integrations_webhookendpoint_add"), hook)
    endpoint = WebhookEndpoint.objects.get()
    chief.post(f"/admin/integrations/webhookendpoint/{endpoint.pk}/rotate/")
    plain = next(
        word for word in key_page.replace("<", " ").replace('"', " ").split() if word.startswith("huuva_")
    )
    caller = Client(headers={"authorization": f"Bearer {plain}"})
    answer = caller.post("/api/webhooks", {**hook, "name": "of a key"}, content_type="application/json")
    again = caller.post(f"/api/webhooks/{answer.json()['id']}/rotate-secret")

    page = shown(chief)
    assert page.count("Its secret was shown.") == 5
    assert page.count("By the API key wolt.") == 2
    secrets = [plain, answer.json()["secret"], again.json()["secret"]]
    stored = "".join(LogEntry.objects.values_list("change_message", flat=True))
    assert [secret for secret in secrets if secret in stored or secret in page] == []
    assert ApiKey.objects.count() == 1


def test_pairing_links_are_listed(chief: Client) -> None:
    screen = display.screen("grill-1")

    chief.post(f"/admin/kitchen_display/screen/{screen.pk}/pairing-link/")

    assert "A link that pairs a screen was shown." in shown(chief)
    assert LogEntry.objects.get().object_repr == "grill-1"


def test_disclosures_can_be_filtered(chief: Client) -> None:
    change_target(chief, 33)
    channel.link()
    screen = display.screen("grill-1")
    chief.post(f"/admin/kitchen_display/screen/{screen.pk}/pairing-link/")

    page = chief.get(LIST, {"action_flag": "4"}).content.decode()

    assert "grill-1" in page and "Harju" not in page
    assert "Harju" in chief.get(LIST, {"action_flag": "2"}).content.decode()


def test_a_user_with_entries_cannot_be_deleted(chief: Client) -> None:
    change_target(chief, 33)
    anna, idle = User.objects.get(username="anna"), User.objects.create_user("idle")

    for user, status in ((anna, 403), (idle, 302)):
        url = reverse("admin:auth_user_delete", args=[user.pk])
        assert chief.post(url, {"post": "yes"}).status_code == status
    chief.post(
        reverse("admin:auth_user_changelist"),
        {"action": "delete_selected", "_selected_action": [anna.pk], "post": "yes"},
    )

    assert list(User.objects.values_list("username", flat=True)) == ["anna"]
    assert LogEntry.objects.filter(user=anna).exists()
