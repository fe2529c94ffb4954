"""The pages that screens load, and the partials that keep them fresh."""

import pytest

from core.stream_tokens import read_token
from kitchen_display.models import Screen
from kitchen_display.tests import factories as make
from orders.new import NewItem
from orders.services import move_order
from orders.statuses import PICKED_UP, READY

pytestmark = pytest.mark.django_db


@pytest.fixture
def wall():
    return make.paired(make.screen())


def test_page_and_partial_show_the_same_tickets(wall):
    make.order(channel_display_id="#A1", note="ring twice")
    page, partial = wall.get("/display/"), wall.get("/display/board", headers=make.SCRIPT)
    for answer in (page, partial):
        assert "#A1" in answer.content.decode() and "ring twice" in answer.content.decode()
        assert answer["X-Server-Time"].isdigit()
    assert page["X-Board-Version"] == partial["X-Board-Version"]
    assert "<html" in page.content.decode() and "<html" not in partial.content.decode()


def test_304_while_nothing_has_changed(wall):
    make.order()
    first = wall.get("/display/board", headers=make.SCRIPT)
    headers = {**make.SCRIPT, "If-None-Match": first["ETag"]}
    same = wall.get("/display/board", headers=headers)
    assert same.status_code == 304 and same["X-Board-Version"] == first["X-Board-Version"]
    assert same["X-Server-Time"]
    make.order()
    assert wall.get("/display/board", headers=headers).status_code == 200


def test_the_page_names_a_stream_for_its_kitchen_and_screen(wall, settings):
    url = wall.get("/display/").context["stream_url"]
    grant = read_token(settings.SECRET_KEY, url.split("token=")[1])
    screen = Screen.objects.get()
    assert (grant.kitchen, grant.screen, grant.pairing) == ("main", str(screen.pk), screen.pairing)
    assert url.startswith(f"http://testserver:{settings.HUUVA_PORT + 1}/") and "/streams?token=" in url


def test_no_customer_is_named_on_any_screen(wall):
    make.order(customer_name="Zacharias Topelius", customer_phone="+358401234567")
    board = make.paired(make.screen("Counter", kind="pickup"))
    for client, path in (
        (wall, "/display/"), (wall, "/display/board"), (wall, "/display/paper"), (board, "/pickup/"),
    ):  # fmt: skip
        page = client.get(path).content.decode()
        assert "Zacharias" not in page and "401234567" not in page, path


def test_the_paper_page_holds_all_open_orders(wall):
    for n in range(30):
        make.order(channel_display_id=f"#P{n}", due_in=n + 1)
    make.order(channel_display_id="#LATER", due_in=600)
    page = wall.get("/display/paper").content.decode()
    assert all(f"#P{n}" in page for n in range(30)) and "#LATER" in page


@pytest.mark.parametrize(("language", "word"), [("en", "NO"), ("fi", "EI"), ("sv", "UTAN")])
@pytest.mark.parametrize("path", ["/display/", "/display/paper"])
def test_what_is_left_out_of_an_item_says_no(wall, path, language, word):
    modifiers = [{"name": "tomato", "quantity": 0}, {"name": "egg", "quantity": 1}]
    make.order(items=[NewItem("B1", {"name": "Burger", "quantity": 1, "modifiers": modifiers})])
    page = wall.get(path, headers={"Accept-Language": language}).content.decode()
    assert f"<b>{word}</b> tomato</span>" in page
    assert page.count("mod--without") == 1 and "0 ×" not in page and "0×" not in page


def test_the_pickup_board_shows_numbers_under_preparing_and_ready():
    board = make.paired(make.screen("Counter", kind="pickup"))
    make.order(channel_display_id="#1")
    ready = make.order(channel_display_id="#2")
    gone = make.order(channel_display_id="#3")
    make.order(channel_display_id="#4", due_in=600)
    move_order(ready.id, READY, actor="user:ada")
    move_order(gone.id, PICKED_UP, actor="user:ada")
    shown = board.get("/pickup/board", headers=make.SCRIPT).context["board"]
    assert (shown.preparing, shown.ready) == (["#1"], ["#2"])


def test_a_pickup_board_cannot_act():
    board = make.paired(make.screen("Counter", kind="pickup"))
    order = make.order()
    token = board.cookies["huuva_pickup"].value
    board.cookies["huuva_screen"] = token  # even by force
    for path in ("bump", "recall", "undo", "acknowledge", "seen", "settings"):
        assert board.post(f"/display/{path}", {"order": order.id}).status_code == 403
    assert board.get("/display/board").status_code == 403


def test_a_screen_speaks_its_language():
    screen = make.screen(language="fi")
    client = make.paired(screen)
    assert '<html lang="fi"' in client.get("/display/", headers={"accept-language": "sv"}).content.decode()
    Screen.objects.update(language="")
    assert '<html lang="sv"' in client.get("/display/", headers={"accept-language": "sv"}).content.decode()


def test_settings_are_saved(wall):
    wanted = {
        "text_scale": 120,
        "columns": 5,
        "sound_new": "on",
        "language": "sv",
        "awake_from": "08:00",
        "awake_to": "23:00",
    }
    assert wall.post("/display/settings", wanted, headers=make.SCRIPT).status_code == 204
    screen = Screen.objects.get()
    assert (screen.text_scale, screen.columns, screen.sound_new, screen.sound_late) == (120, 5, True, False)
    assert screen.language == "sv" and screen.awake_from.hour == 8
    assert wall.post("/display/settings", wanted).status_code == 303
    for wrong in ({"text_scale": 500}, {"columns": 9}, {"language": "xx"}, {"awake_to": ""}):
        assert wall.post("/display/settings", {**wanted, **wrong}, headers=make.SCRIPT).status_code == 400
    screen.refresh_from_db()
    assert screen.text_scale == 120


def test_policy_lets_pages_reach_the_stream_and_nothing_inline(wall, settings):
    policy = wall.get("/display/")["Content-Security-Policy"]
    assert (
        f"http://testserver:{settings.HUUVA_PORT + 1}" in policy
        and "unsafe-inline" not in policy
        and "unsafe-eval" not in policy
    )


def test_nothing_between_us_and_the_browser_keeps_a_board(wall):
    for path in ("/display/", "/display/board", "/display/paper"):
        answer = wall.get(path)
        assert "private" in answer["Cache-Control"] and "Cookie" in answer["Vary"], path
