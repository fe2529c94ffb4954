from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from orders.models import Brand, Kitchen
from orders.tests import factories

pytestmark = pytest.mark.django_db


def kitchen_form(**values: Any) -> dict[str, Any]:
    return {
        "slug": "harju",
        "name": "Harju",
        "time_zone": "Europe/Helsinki",
        "currency": "EUR",
        "target_minutes": "12",
        "release_minutes": "20",
        "recall_minutes": "30",
        "auto_advance": "on",
        "retention_days": "90",
        "opening_hours-TOTAL_FORMS": "0",
        "opening_hours-INITIAL_FORMS": "0",
        "closed_days-TOTAL_FORMS": "0",
        "closed_days-INITIAL_FORMS": "0",
    } | values


def test_a_kitchen_is_set_up(manager: Client) -> None:
    page = manager.post("/admin/orders/kitchen/add/", kitchen_form())

    assert page.status_code == 302
    harju = Kitchen.objects.get()
    assert (harju.slug, harju.target_minutes, harju.auto_advance) == ("harju", 12, True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"slug": "Harju 1"},
        {"slug": ""},
        {"name": ""},
        {"time_zone": "Helsinki"},
        {"currency": "euro"},
        {"target_minutes": "0"},
        {"retention_days": "0"},
    ],
)
def test_a_kitchen_that_makes_no_sense_is_not_made(manager: Client, wrong: dict[str, str]) -> None:
    page = manager.post("/admin/orders/kitchen/add/", kitchen_form(**wrong))

    assert page.status_code == 200
    assert not Kitchen.objects.exists()


def test_the_slug_of_a_kitchen_stays(manager: Client) -> None:
    factories.kitchen("main")

    manager.post("/admin/orders/kitchen/main/change/", kitchen_form(slug="other", name="New name"))

    assert [(kitchen.slug, kitchen.name) for kitchen in Kitchen.objects.all()] == [("main", "New name")]


def test_only_a_kitchen_without_orders_can_be_deleted(manager: Client) -> None:
    factories.order(of=factories.kitchen("main"))
    factories.kitchen("mistake")

    for slug, status in (("main", 403), ("mistake", 302)):
        answer = manager.post(reverse("admin:orders_kitchen_delete", args=[slug]), {"post": "yes"})
        assert answer.status_code == status
    manager.post(
        "/admin/orders/kitchen/", {"action": "delete_selected", "_selected_action": ["main"], "post": "yes"}
    )
    assert Kitchen.objects.get().slug == "main"


def test_a_brand_gets_a_name_and_a_colour_and_keeps_its_id(manager: Client) -> None:
    new = {"id": "60bfc6dc4887c9851d5a0245", "name": "Burger House", "colour": "#d97706"}
    assert 'type="color"' in manager.get("/admin/orders/brand/add/").content.decode()
    assert manager.post("/admin/orders/brand/add/", new).status_code == 302

    change = reverse("admin:orders_brand_change", args=[new["id"]])
    manager.post(change, {"id": "other", "name": "Burger Home", "colour": "#d97706"})

    brand = Brand.objects.get()
    assert (brand.id, brand.name, brand.colour) == (new["id"], "Burger Home", "#d97706")
    assert 'fill="#d97706"' in manager.get("/admin/orders/brand/").content.decode()


@pytest.mark.parametrize("colour", ["red", "#12345", 'url("x")', ""])
def test_a_colour_is_a_colour(manager: Client, colour: str) -> None:
    page = manager.post("/admin/orders/brand/add/", {"id": "b", "name": "B", "colour": colour})

    assert page.status_code == 200
    assert not Brand.objects.exists()


def test_the_menu_shows_what_one_may_see(client: Client, manager: Client) -> None:
    links = ["/admin/orders/order/", "/admin/orders/order/?late=yes", "/admin/orders/kitchen/"]
    links += [
        "/admin/analytics/",
        "/admin/orders/brand/",
        "/admin/integrations/apikey/",
        "/admin/auth/user/",
        "/api/docs",
        "/api/redoc",
    ]
    page = manager.get("/admin/").content.decode()
    assert [link for link in links if f'href="{link}"' not in page] == []

    client.force_login(User.objects.create_user("bert", is_staff=True))
    page = client.get("/admin/").content.decode()
    assert [link for link in links if f'href="{link}"' in page] == ["/api/docs", "/api/redoc"]


def test_a_user_is_made_with_a_password(manager: Client) -> None:
    form = {
        "username": "bert",
        "usable_password": "true",
        "password1": "sauna-laulu-77",
        "password2": "sauna-laulu-77",
    }

    assert manager.post("/admin/auth/user/add/", form).status_code == 302
    assert User.objects.get(username="bert").check_password("sauna-laulu-77")
