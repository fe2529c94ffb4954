"""Deliveries never reach into our own network, however its addresses are spelled."""

import ipaddress
import socket

import pytest
from django.core.exceptions import ValidationError

from integrations.deliveries import sending
from integrations.deliveries.guard import Refused, check_url, guarded_socket, may_connect
from integrations.deliveries.kinds import Message
from integrations.deliveries.sending import Outcome, Sender
from tests.receiver import Receiver

INSIDE = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.20",
    "100.64.0.1",
    "169.254.169.254",
    "168.63.129.16",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "198.18.0.1",
    "192.0.2.1",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::8.8.8.8",
    "2002:7f00:1::1",
    "2002:a00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1%eth0",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
]
OUTSIDE = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_refused(address: str) -> None:
    assert not may_connect(ipaddress.ip_address(address), private=False)


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_outside_may_be_asked(address: str) -> None:
    assert may_connect(ipaddress.ip_address(address), private=False)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "10.1.2.3", "192.168.1.20", "fd12::1", "::ffff:10.0.0.1"]
)
def test_private_networks_are_open_where_that_is_set(address: str) -> None:
    assert may_connect(ipaddress.ip_address(address), private=True)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "224.0.0.1", "0.0.0.0",
        "fd00:ec2::254", "fd20:ce::254", "192.0.0.192", "::ffff:192.0.0.192", "100.100.100.200",
    ],
)  # fmt: skip
def test_link_local_addresses_stay_closed_even_then(address: str) -> None:
    assert not may_connect(ipaddress.ip_address(address), private=True)


def test_a_socket_for_a_zone_is_refused() -> None:
    with pytest.raises(Refused):
        guarded_socket((socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2606:4700::1", 443, 0, 2)))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "https://user@example.com/",
        "https://user:secret@example.com/",
        "https://example.com/#part",
        "https://example.com:22/",
        "https://example.com:6379/",
        "https://example.com:99999/",
        "https://localhost/",
        "https://db.internal/",
        "https://printer.local/",
        "https://LOCALHOST./",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[fe80::1%25eth0]/",
        "https://10.0.0.7/hooks",
        "https://exa mple.com/",
        "https://example.com\\@127.0.0.1/",
        "https://example.com/\x00",
        "https://exämple.com/",
        "https://example.com/" + "a" * 2000,
    ],
)
def test_a_url_that_can_not_be_right_is_refused_when_it_is_entered(url: str) -> None:
    with pytest.raises(ValidationError):
        check_url(url)


@pytest.mark.parametrize(
    "url", ["https://example.com", "https://example.com:8443/a?b=c", "https://8.8.8.8/x"]
)
def test_an_ordinary_url_is_taken(url: str) -> None:
    check_url(url)


def send(*urls: str) -> list[Outcome]:
    with Sender() as sender:
        sender.submit([(number, Message(url, b"{}")) for number, url in enumerate(urls)], healthy=True)
        found: list[Outcome] = []
        while len(found) < len(urls):
            found += sender.take(5, 0)
    return sorted(found, key=lambda outcome: outcome.id)


def test_no_spelling_of_this_machine_is_connected_to() -> None:
    with Receiver() as receiver:
        hosts = [
            "127.0.0.1",
            "localhost",
            "2130706433",
            "0x7f000001",
            "127.1",
            "[::ffff:127.0.0.1]",
            "0.0.0.0",
        ]
        outcomes = send(*(f"http://{host}:{receiver.port}/" for host in hosts))
        assert receiver.requests == []
    assert {outcome.error for outcome in outcomes} <= {"address_refused", "bad_url"}


def test_the_address_of_a_name_is_checked_when_it_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DNS rebinding: the name led elsewhere when the endpoint was made."""

    def rebound(host: str, port: int, family: socket.AddressFamily) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(sending, "_look_up", rebound)
    with Receiver() as receiver:
        (outcome,) = send(f"http://shop.example.com:{receiver.port}/")
        assert receiver.requests == []
    assert outcome.error == "address_refused"


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch, settings: object) -> None:
    settings.HUUVA_WEBHOOKS_ALLOW_PRIVATE = True  # type: ignore[attr-defined]
    with Receiver() as receiver, Receiver() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url(""))
        (outcome,) = send(receiver.url())
        assert outcome.ok
        assert proxy.requests == []
