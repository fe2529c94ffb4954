"""A channel is connected by a command, which says what is wrong and then has stored nothing."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from integrations.channels.secrets import decrypt_secret
from integrations.models import ChannelLink, ChannelLocation
from integrations.tests.channels.test_generic import MAPPING
from orders.tests.factories import kitchen

pytestmark = pytest.mark.django_db


def create(*words: str) -> str:
    out = StringIO()
    call_command("create_channel_link", "Wolt", *words, stdout=out)
    return out.getvalue()


def test_it_prints_the_secret_alone() -> None:
    kitchen()
    secret = create("--external-id", "link-1", "--location", "a=b=main", "--location", "c=main").removesuffix(
        "\n"
    )
    link = ChannelLink.objects.get()
    assert (link.slug, link.channel, decrypt_secret(link.secret)) == ("deliverect", "Wolt", secret)
    assert set(ChannelLocation.objects.values_list("external_id", "kitchen")) == {
        ("a=b", "main"),
        ("c", "main"),
    }


def test_a_mapped_link_needs_its_mapping(tmp_path: Path) -> None:
    file = tmp_path / "mapping.json"
    file.write_text(json.dumps(MAPPING))
    create("--kind", "generic", "--slug", "shop", "--mapping", str(file))
    assert ChannelLink.objects.get().mapping == MAPPING


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--slug", "Not a slug"], "The link: Small letters, digits and hyphens only"),
        (["--secret", "short"], "--secret has 8 to 200 characters"),
        (["--status-url", "https://127.0.0.1/"], "--status-url: Addresses inside"),
        (["--location", "place=nowhere"], "not place=nowhere. Known kitchens: main"),
        (["--location", "place"], "--location is ID=KITCHEN"),
        (["--location", "a=main", "--location", "a=main"], "--location a=main: "),
        (["--location", "x" * 257 + "=main"], "at most 256 characters"),
        (["--kind", "generic"], "generic need --mapping"),
        (["--mapping", "x.json"], "deliverect need no --mapping"),
        (["--kind", "generic", "--mapping", "/nowhere.json"], "can't be read as JSON"),
    ],
)
def test_it_says_what_to_change(words: list[str], told: str) -> None:
    kitchen()
    with pytest.raises(CommandError) as refusal:
        create(*words)
    assert told in str(refusal.value)
    assert not ChannelLink.objects.exists()
