"""Two kitchens with a row of everything, and all kinds of callers: what the table of permissions is tested on.

What is planted carries marks: OURS stands in names of the first kitchen, CUSTOMER in what is its customers' own. Neither is in
an address, so an answer that holds one has let it out.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.utils import timezone

from huuva.models import LoginAttempt
from huuva.roles import INTEGRATOR_SUPPORT, KITCHEN_MANAGER, OPERATIONS, ROLES
from integrations.models import ChannelMessage, Delivery, DeliveryProgress
from integrations.scopes import SCOPES
from integrations.tests import factories as keys
from integrations.tests.channels import factories as channel
from kitchen_display.pairing import make_link
from kitchen_display.tests import factories as display
from orders.amendments import ItemAmendment, amend_order
from orders.feed import Cursor
from orders.models import Kitchen, KitchenMember, Order
from orders.new import NewItem
from orders.services import move_order
from orders.statuses import PREPARING
from orders.tests import factories

OURS = "Planted-Kitchen-7f3a"
CUSTOMER = "Planted-Customer-7f3a"
# Of what is a customer's own: who they are, and where. Keys see it only with a scope for that.
NAMED = tuple(f"{CUSTOMER} {what}" for what in ("name", "phone", "street"))
ADDRESS_WORDS = {
    "token": "no-such-link-at-all-0000",
    "url": "nothing",
    "app_label": "orders",
    "panel": "customers",
}
PAGE = {"accept": "text/html"}


@dataclass
class Tenants:
    """`objects`: the row that stands for each model of the admin, by `app/model`."""

    ours: Kitchen
    theirs: Kitchen
    order: Order
    # What stands for <id> in the API: the order, or what an address of the key begins with.
    ids: dict[str, Any] = field(default_factory=dict)
    objects: dict[str, Any] = field(default_factory=dict)
    callers: dict[str, Client] = field(default_factory=dict)

    def address(self, written: str) -> str:
        """An address of the table as it is called, with the first kitchen's rows for its placeholders."""
        words = {**ADDRESS_WORDS, "plu": "P0", "content_type_id": self._content_type()}
        words |= {"delivery": self.objects["integrations/delivery"], "link": "shop"}
        if written.startswith("/admin/"):
            _, _, app, model, *_ = f"{written}//".split("/")
            words["pk"] = self.objects.get(
                "integrations/delivery" if "/deliveries/" in written else f"{app}/{model}", ""
            )
            if "<id>" in written:
                words["id"] = self._row(f"{app}/{model}")
        else:
            words["id"] = next(
                (id for path, id in self.ids.items() if written.startswith(path)), self.order.pk
            )
        if written.startswith("/admin/r/"):
            words["id"] = self.order.pk
        for name, value in words.items():
            written = written.replace(f"<{name}>", str(value))
        assert "<" not in written, (
            f"{written}: say in tests/security/tenants.py what stands for the placeholder"
        )
        return written

    def _row(self, model: str) -> Any:
        if model == "r/<content_type_id>":
            return self.order.pk
        assert model in self.objects, (
            f"Plant a row of {model} for the first kitchen in tests/security/tenants.py"
        )
        return self.objects[model]

    @staticmethod
    def _content_type() -> int:
        return ContentType.objects.get_for_model(Order).pk


def build() -> Tenants:
    ours = factories.kitchen("harju", name=f"{OURS} kitchen")
    theirs = factories.kitchen("kallio", name="The other one")
    tenants = Tenants(ours, theirs, _order(ours))
    factories.order(of=theirs)
    factories.brand(name="Burgers")
    station = display.station("grill", "P0", of=ours, name=f"{OURS} grill")
    display.station("sushi", "P1", of=theirs)
    screens = {
        "screen": display.screen(f"{OURS} wall", of=ours),
        "screen2": display.screen("Wall", of=theirs),
    }
    tenants.callers = {"nobody": Client(headers=PAGE)}
    tenants.callers |= {name: display.paired(screen) for name, screen in screens.items()}
    boards = {"screen": ours, "screen2": theirs}
    for name, kitchen in boards.items():
        board = display.screen(f"Pickup {name}", of=kitchen, kind="pickup")
        tenants.callers[name].post(make_link(board))
    tenants.callers |= _keys(tenants)
    tenants.callers |= _people(tenants)
    entry = LogEntry.objects.create(
        user=User.objects.get(username="superuser"),
        content_type=ContentType.objects.get_for_model(Kitchen),
        object_id=ours.pk,
        object_repr=ours.name,
        action_flag=CHANGE,
        change_message=[],
    )
    # Something to take back.
    Kitchen.objects.filter(pk=ours.pk).update(
        retention_wanted=1, retention_from=timezone.now() + timedelta(hours=24)
    )
    attempt = LoginAttempt.objects.create(at=timezone.now(), name="0" * 32, address="192.0.2.1", right=False)
    tenants.objects |= {
        "admin/logentry": entry.pk,
        "auth/user": User.objects.get(username="manager").pk,
        "auth/group": Group.objects.get(name=OPERATIONS).pk,
        "orders/brand": "burgers",
        "orders/kitchen": ours.pk,
        "orders/order": tenants.order.pk,
        "kitchen_display/screen": screens["screen"].pk,
        "kitchen_display/station": station.pk,
        "huuva/loginattempt": attempt.pk,
    }
    _integrations(tenants)
    return tenants


def _order(kitchen: Kitchen) -> Order:
    """Open, in preparation, amended twice: something to show on each page."""
    order = display.order(
        of=kitchen,
        items=[
            NewItem("P0", {"name": f"{OURS} soup", "quantity": 2, "note": f"{CUSTOMER} item note"}, None),
            NewItem("P1", {"name": f"{OURS} bread", "quantity": 1}, None),
        ],
        account="account-1",
        customer_name=NAMED[0],
        customer_phone=NAMED[1],
        delivery_address={"street": NAMED[2]},
        note=f"{CUSTOMER} note",
        channel_display_id=f"#{OURS}",
    )
    amend_order(order.pk, actor="key:wolt", note=f"{CUSTOMER} other note")
    amend_order(order.pk, actor="key:wolt", items={"P0": ItemAmendment(f"{CUSTOMER} other item note", None)})
    return move_order(order.pk, PREPARING, actor="key:wolt")


def _integrations(tenants: Tenants) -> None:
    """A webhook that has failed, and a channel whose message could not be read: both with customers' data in their logs."""
    now = timezone.now()
    # What deliveries have read of the feed can be replayed; in the transaction of a test nothing can be read yet.
    DeliveryProgress.objects.create(cursor=str(Cursor(1 << 62)))
    endpoint = keys.endpoint(
        "https://hooks.example.com/orders",
        name=f"{OURS} hook",
        events=["order.created"],
        kitchen=tenants.ours,
        owner=f"{OURS} key",
        include_customer=True,
    )
    tried = {"at": now.isoformat(), "status": 500, "error": "", "ms": 3, "answer": f"Thank you, {NAMED[0]}"}
    delivery = Delivery.objects.create(
        sink_id=endpoint.pk,
        order_id=tenants.order.pk,
        sequence=1,
        event_type="order.created",
        at=now,
        state=Delivery.State.GIVEN_UP,
        finished_at=now,
        attempts=1,
        last_status=500,
        log=[tried],
    )
    link = channel.LinkFactory(slug="wolt", name=f"{OURS} link", external_id="w-1")
    place = channel.LocationFactory(link=link, external_id=f"{OURS} place", kitchen=tenants.ours)
    message = ChannelMessage.objects.create(
        link=link,
        matter="order",
        external_id="w-order-1",
        location=place.external_id,
        order_id=tenants.order.pk,
        outcome=ChannelMessage.Outcome.REFUSED,
        status_code=422,
        detail="It was refused.",
        payload=f'{{"customer": {{"name": "{CUSTOMER} name"}}}}',
    )
    tenants.ids["/api/webhooks/"] = endpoint.pk
    tenants.objects |= {
        "integrations/webhookendpoint": endpoint.pk,
        "integrations/delivery": delivery.pk,
        "integrations/channellink": link.pk,
        "integrations/channellocation": place.pk,
        "integrations/channelmessage": message.pk,
        "orders/kitchenpace": tenants.ours.pk,
    }


def _keys(tenants: Tenants) -> dict[str, Client]:
    """Keys of both kitchens; `key0` is another one for each scope, see `without`."""
    callers = {}
    for name, kitchen in (("key", tenants.ours), ("key2", tenants.theirs)):
        key, plain = keys.api_key(f"{OURS} key" if name == "key" else name, kitchen=kitchen)
        callers[name] = _with(plain)
        if name == "key":
            tenants.objects["integrations/apikey"] = key.pk
    return callers


def without(scope: str | None) -> Client:
    """A key of the first kitchen with all scopes but this one."""
    scopes = [each for each in SCOPES if each != scope]
    return _with(keys.api_key(f"without {scope}", scopes, kitchen="harju")[1])


def key_with(scopes: Iterable[str], kitchen: str | None = "harju") -> Client:
    """A key of the first kitchen that finds the webhooks of its other keys, too."""
    return _with(keys.api_key(f"{OURS} key", scopes, kitchen=kitchen)[1])


def _with(plain: str) -> Client:
    return Client(headers={"authorization": f"Bearer {plain}"})


def _people(tenants: Tenants) -> dict[str, Client]:
    people = {
        "manager": (KITCHEN_MANAGER, tenants.ours),
        "manager2": (KITCHEN_MANAGER, tenants.theirs),
        "operations": (OPERATIONS, None),
        "support": (INTEGRATOR_SUPPORT, None),
        "superuser": (None, None),
    }
    callers = {}
    for name, (role, kitchen) in people.items():
        user = User.objects.create_user(name, is_staff=True, is_superuser=role is None)
        if role is not None:
            user.groups.add(_group(role))
        if kitchen is not None:
            KitchenMember.objects.create(user=user, kitchen=kitchen)
        callers[name] = Client(headers=PAGE)
        callers[name].force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return callers


def _group(role: str) -> Group:
    """Created again: a test that empties the database removes what migrations have put into it."""
    group, _ = Group.objects.get_or_create(name=role)
    for permission in ROLES[role]:
        app, codename = permission.split(".")
        matches = Permission.objects.filter(content_type__app_label=app, codename=codename)
        assert matches, f"The role {role} names the permission {permission}, which there isn't"
        group.permissions.add(*matches)
    return group


def pickup_time() -> str:
    return (datetime.now(UTC) + timedelta(minutes=30)).isoformat()


def new_order() -> dict[str, Any]:
    return {
        "account": "account-1",
        "brandId": "burgers",
        "channelOrderId": "NEW-1",
        "customer": {"name": NAMED[0], "phoneNumber": NAMED[1]},
        "deliveryAddress": {"street": NAMED[2]},
        "pickupTime": pickup_time(),
        "items": [{"plu": "P0", "name": "Soup", "quantity": 1}],
    }
