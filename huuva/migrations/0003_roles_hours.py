from typing import Any

from django.db import migrations

from huuva.roles import make_roles


def make(apps: Any, schema_editor: Any) -> None:
    make_roles(apps)


class Migration(migrations.Migration):
    """Who sets up kitchens sets their opening hours, too."""

    dependencies = [
        ("huuva", "0002_roles"),
        ("orders", "0007_opening_hours"),
    ]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
