"""Who changed what: each change in the admin can be looked up, by those who may, and edited by nobody."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.models import Kitchen
from orders.tests import factories

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


def test_a_change_of_settings_tells_who_and_what(chief: Client) -> None:
    change_target(chief, 33)

    page = chief.get(LIST).content.decode()

    for words in ("anna", "Harju", "changed", "Target, minutes"):
        assert words.lower() in page.lower(), words


def test_its_list_costs_the_same_however_long(chief: Client) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert chief.get(LIST).status_code == 200
        assert not any("COUNT(" in query["sql"] for query in seen)
        return len(seen)

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
