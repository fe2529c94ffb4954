from typing import Any

from django.db import migrations

from huuva.roles import make_roles


def make(apps: Any, schema_editor: Any) -> None:
    make_roles(apps)


class Migration(migrations.Migration):
    """How long customers' data is kept, time zone and currency are for Operations alone; who tried to log in, too."""

    dependencies = [
        ("huuva", "0004_login_attempts"),
        ("orders", "0009_kitchen_policy"),
    ]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
