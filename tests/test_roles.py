"""The roles that the migration makes, and what they mean in the admin."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from huuva.roles import INTEGRATOR_SUPPORT, KITCHEN_MANAGER, OPERATIONS, ROLES
from orders.tests import factories

pytestmark = pytest.mark.usefixtures("roles")  # tests/test_upgrade.py holds that the migration makes them


def in_role(role: str, *kitchens: str) -> Client:
    user = User.objects.create_user(role.replace(" ", "-"), is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    for slug in kitchens:
        user.kitchens.create(kitchen=factories.kitchen(slug))
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_what_is_written_of_it(role: str) -> None:
    permissions = Group.objects.get(name=role).permissions.values_list("content_type__app_label", "codename")

    assert {f"{app}.{codename}" for app, codename in permissions} == set(ROLES[role])


def test_no_role_can_make_more_of_itself() -> None:
    assert {each.split(".")[0] for wanted in ROLES.values() for each in wanted}.isdisjoint({"auth"})


def test_a_kitchen_manager_sees_one_kitchen_and_its_customers() -> None:
    manager = in_role(KITCHEN_MANAGER, "main")
    mine = factories.order(customer_name="Ada Lovelace")
    theirs = factories.order(of=factories.kitchen("other"))

    page = manager.get(reverse("admin:orders_order_change", args=[mine.pk])).content.decode()
    assert "Lovelace" in page and "huuva-actions" in page
    assert manager.get(reverse("admin:orders_order_change", args=[theirs.pk])).status_code == 302
    assert manager.get(reverse("admin:integrations_apikey_changelist")).status_code == 403
    assert manager.get(reverse("admin:orders_kitchen_change", args=["main"])).status_code == 200
    assert manager.get(reverse("admin:orders_kitchen_change", args=["other"])).status_code == 302
    assert manager.get("/admin/").status_code == 200


def test_operations_works_everywhere_but_makes_no_users() -> None:
    operations = in_role(OPERATIONS)
    order = factories.order(of=factories.kitchen("other"))

    assert operations.get(reverse("admin:orders_order_change", args=[order.pk])).status_code == 200
    assert operations.get(reverse("admin:integrations_webhookendpoint_add")).status_code == 200
    assert operations.get(reverse("admin:auth_user_changelist")).status_code == 403


def test_integrator_support_reads_and_sees_no_customer() -> None:
    support = in_role(INTEGRATOR_SUPPORT)
    order = factories.order(
        customer_name="Ada Lovelace", customer_phone="+358401234567", note="Ring at Ada's"
    )

    page = support.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    assert "TEST-1" in page
    for secret in ("Lovelace", "+358401234567", "Ring at", "huuva-actions"):
        assert secret not in page
    assert support.get(reverse("admin:integrations_webhookendpoint_add")).status_code == 403


def test_what_somebody_added_to_a_role_stays(roles: Callable[[], None]) -> None:
    group = Group.objects.get(name=INTEGRATOR_SUPPORT)
    extra = Permission.objects.get(codename="export_order")
    lost = Permission.objects.get(codename="view_brand")
    group.permissions.add(extra)
    group.permissions.remove(lost)

    roles()

    assert {extra, lost} <= set(group.permissions.all())
