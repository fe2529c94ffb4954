"""Keeping customers' data for less waits for a day, is told with its number of orders, and can be taken back."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core import mail
from django.test import Client

from orders import clock
from orders.audit import SYSTEM
from orders.models import Kitchen, KitchenMember, Order
from orders.privacy import ANONYMOUS, anonymise_due
from orders.services import move_order
from orders.statuses import PICKED_UP
from orders.tests import factories
from orders.tests.test_admin_setup import kitchen_form

pytestmark = pytest.mark.django_db
PAGE = "/admin/orders/kitchen/harju/change/"
KEEP = "/admin/orders/kitchen/harju/keep-days/"


@pytest.fixture
def harju() -> Kitchen:
    return factories.kitchen("harju", name="Harju")


def finished(number: int, of: Kitchen) -> None:
    for _ in range(number):
        move_order(factories.order(of=of).pk, PICKED_UP, actor="user:anna")


def browser(name: str, *permissions: str, kitchen: Kitchen | None = None, email: str = "") -> Client:
    user = User.objects.create_user(name, email=email, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    if kitchen is not None:
        KitchenMember.objects.create(user=user, kitchen=kitchen)
    client = Client()
    client.force_login(user)
    return client


def operations() -> Client:
    return browser("otto", "change_kitchen", "view_kitchen", "work_everywhere", "set_kitchen_policy")


def days_from_now(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    then = clock.now() + timedelta(days=days)
    monkeypatch.setattr(clock, "now", lambda: then)


def said(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def test_a_kitchen_manager_sets_neither_retention_nor_zone_nor_currency(harju: Kitchen) -> None:
    manager = browser("maija", "change_kitchen", "view_kitchen", kitchen=harju)

    page = manager.get(PAGE).content.decode()
    assert 'name="target_minutes"' in page
    for field in ("retention_days", "time_zone", "currency"):
        assert f'name="{field}"' not in page, field
    form = kitchen_form(retention_days="1", time_zone="UTC", currency="SEK", target_minutes="9")
    assert manager.post(PAGE, form).status_code == 302

    harju.refresh_from_db()
    assert (harju.retention_days, harju.time_zone, harju.currency) == (90, "Europe/Helsinki", "EUR")
    assert (harju.target_minutes, harju.retention_wanted) == (9, None)
    assert manager.post(KEEP).status_code == 403


def test_fewer_days_hold_after_a_day_and_say_what_will_be_lost(
    harju: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished(3, harju)
    finished(1, factories.kitchen("other"))
    days_from_now(monkeypatch, 2)

    answer = operations().post(PAGE, kitchen_form(retention_days="1"), follow=True)

    assert "3 orders of Harju will lose their customers" in said(answer)
    harju.refresh_from_db()
    assert (harju.retention_days, harju.retention_wanted) == (90, 1)
    assert harju.retention_from == clock.now() + timedelta(hours=24)
    assert anonymise_due() == 0
    days_from_now(monkeypatch, 0.99)
    assert anonymise_due() == 0
    days_from_now(monkeypatch, 0.02)
    assert anonymise_due() == 3
    assert anonymise_due() == 0

    harju.refresh_from_db()
    assert (harju.retention_days, harju.retention_wanted, harju.retention_from) == (1, None, None)
    assert set(Order.objects.filter(kitchen=harju).values_list("customer_name", flat=True)) == {ANONYMOUS}
    audit = "".join(LogEntry.objects.order_by("pk").values_list("change_message", flat=True))
    assert '"orders": 3' in audit and '"before": 90' in audit
    assert LogEntry.objects.order_by("pk").last().user.username == SYSTEM


def test_it_can_be_taken_back_while_it_waits(harju: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    finished(1, harju)
    days_from_now(monkeypatch, 2)
    otto = operations()
    assert "keep-days" not in otto.get(PAGE).content.decode()
    assert otto.post(KEEP).status_code == 403
    otto.post(PAGE, kitchen_form(retention_days="1"))
    page = otto.get(PAGE).content.decode()
    assert "keep-days" in page and "1 order of Harju will lose its customer" in page
    assert "1 order of Harju will lose" in otto.get("/admin/").content.decode()

    assert "1 order of Harju" in otto.get(KEEP).content.decode()
    assert Kitchen.objects.get().retention_wanted == 1, "a GET asks only"
    assert "90 days, as before" in said(otto.post(KEEP, follow=True))

    days_from_now(monkeypatch, 2)
    assert anonymise_due() == 0
    assert Kitchen.objects.get().retention_days == 90


def test_more_days_hold_at_once_and_take_back_what_waits(harju: Kitchen) -> None:
    otto = operations()
    otto.post(PAGE, kitchen_form(retention_days="30"))
    assert Kitchen.objects.get().retention_wanted == 30

    otto.post(PAGE, kitchen_form(target_minutes="7"))
    assert Kitchen.objects.get().retention_wanted == 30, "another change says nothing of it"
    otto.post(PAGE, kitchen_form(retention_days="365"))

    harju.refresh_from_db()
    assert (harju.retention_days, harju.retention_wanted, harju.retention_from) == (365, None, None)


def test_who_should_know_gets_a_mail(
    harju: Kitchen, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.HUUVA_SMTP_URL, settings.HUUVA_ALERT_EMAILS = "smtp://mail.example", ["ops@example.com"]
    browser("maija", kitchen=harju, email="maija@example.com")
    browser("matti", kitchen=factories.kitchen("other"), email="matti@example.com")
    User.objects.create_user("gone", email="gone@example.com", is_active=False).kitchens.create(kitchen=harju)
    finished(2, harju)

    with django_capture_on_commit_callbacks(execute=True):
        operations().post(PAGE, kitchen_form(retention_days="1"))

    [sent] = mail.outbox
    assert sorted(sent.to) == ["maija@example.com", "ops@example.com"]
    assert "Harju" in sent.subject and "2 orders of Harju will lose" in sent.body
    settings.HUUVA_SMTP_URL = ""
    with django_capture_on_commit_callbacks(execute=True):
        browser("olli", "change_kitchen", "work_everywhere", "set_kitchen_policy").post(
            PAGE, kitchen_form(retention_days="2")
        )
    assert len(mail.outbox) == 1


def test_another_time_zone_says_what_it_does_to_figures(harju: Kitchen) -> None:
    answer = operations().post(PAGE, kitchen_form(time_zone="Europe/Stockholm"), follow=True)

    assert "past ones too" in said(answer)
    assert Kitchen.objects.get().time_zone == "Europe/Stockholm"


def test_a_form_that_was_read_before_the_removal_does_not_undo_its_mark(harju: Kitchen) -> None:
    mark = clock.now()
    Kitchen.objects.update(anonymised_until=mark)

    operations().post(PAGE, kitchen_form(name="Harju 2"))

    harju.refresh_from_db()
    assert (harju.name, harju.anonymised_until) == ("Harju 2", mark)
