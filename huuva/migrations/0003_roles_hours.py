from typing import Any

from django.db import migrations

from huuva.roles import ROLES, make_roles

# What later migrations give.
LATER = (".set_kitchen_policy", "_loginattempt")


def make(apps: Any, schema_editor: Any) -> None:
    make_roles(
        apps, {name: [each for each in wanted if not each.endswith(LATER)] for name, wanted in ROLES.items()}
    )


class Migration(migrations.Migration):
    """Who sets up kitchens sets their opening hours, too."""

    dependencies = [
        ("huuva", "0002_roles"),
        ("orders", "0007_opening_hours"),
    ]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
