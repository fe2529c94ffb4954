from typing import Any

from django.db import migrations

from huuva.roles import make_roles


def make(apps: Any, schema_editor: Any) -> None:
    make_roles(apps)


class Migration(migrations.Migration):
    """How long customers' data is kept, time zone and currency are for Operations alone."""

    dependencies = [
        ("huuva", "0003_roles_hours"),
        ("orders", "0009_kitchen_policy"),
    ]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
