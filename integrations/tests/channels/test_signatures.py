"""Only what is signed with a link's secret is believed; the rest is refused alike, and leaves nothing behind."""

import json

import pytest

from integrations.models.channels import ChannelMessage
from integrations.tests.channels import factories as make
from orders.models import Order

pytestmark = pytest.mark.django_db


def test_a_body_changed_by_one_byte_is_refused_and_nothing_is_stored():
    make.link()
    before = make.stored()
    raw = json.dumps(make.body()).encode()
    signature = make.sign(make.SECRET, raw)
    for place in range(0, len(raw), 7):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        answer = make.send(changed, signature=signature)
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_signature"), changed
        assert answer["WWW-Authenticate"]
    assert make.stored() == before
    assert make.send(raw, signature=signature).status_code == 200


@pytest.mark.parametrize("signature", ["", "nonsense", "00" * 32, "ü"])
def test_a_missing_or_wrong_signature_is_refused(signature):
    make.link()
    answer = make.send(make.body(), signature=signature)
    assert answer.status_code == 401
    assert make.stored() == (0, 0, 1)


@pytest.mark.parametrize("name", ["\ud800", "\0", "x\udfff", "x" * 5000])
@pytest.mark.parametrize("field", ["channelLink", "location"])
def test_a_link_that_no_database_can_hold_is_refused_like_an_unknown_one(field, name):
    make.link()
    answer = make.send({"_id": "1", "channelLink": "other", field: name}, signature="00" * 32)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_signature")


def test_an_unknown_link_is_refused_like_a_wrong_signature():
    make.link()
    stranger = make.send(make.body(channelLink="other", location="other"))
    forger = make.send(make.body(), secret="guess")
    assert (stranger.status_code, stranger.json()["detail"]) == (forger.status_code, forger.json()["detail"])
    assert stranger.status_code == 401
    assert make.stored() == (0, 0, 1)


def test_a_link_that_is_switched_off_takes_nothing():
    make.link(is_active=False)
    assert make.send(make.body()).status_code == 401
    assert make.stored() == (0, 0, 1)


def test_the_secret_of_one_link_does_not_open_another():
    make.link()
    make.link("other", secret="another secret", external_id="channel-link-2")
    assert make.send(make.body(), secret="another secret").status_code == 401
    assert make.send(make.body(channelLink="channel-link-2"), secret="another secret").status_code == 200
    assert Order.objects.get().id == "other:d-1"


def test_a_body_without_a_link_goes_to_the_link_of_its_location():
    make.link()
    assert make.send(make.body(channelLink=None)).status_code == 200
    # Where two links know the place, it says nothing.
    make.link("other", external_id="channel-link-2")
    assert make.send(make.body("d-2", channelLink=None)).status_code == 401


@pytest.mark.parametrize(
    "raw",
    [b"", b"nonsense", b"[]", b"null", b'{"a":', b"\xff\xfe", b"[" * 5000, b'{"channelLink": "\\u0000"}'],
)
def test_a_body_that_says_nothing_of_its_link_is_refused(raw):
    make.link()
    assert make.send(raw).status_code == 401
    assert make.stored() == (0, 0, 1)


def test_a_signed_body_that_is_no_strict_json_is_refused_and_kept():
    make.link()
    raw = json.dumps(make.body()).encode()[:-1] + b', "note": "twice", "note": "twice"}'
    answer = make.send(raw)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")
    assert ChannelMessage.objects.get().payload == raw.decode()
    assert not Order.objects.exists()
