from typing import Any

from django.db import migrations

from huuva.roles import make_roles


def make(apps: Any, schema_editor: Any) -> None:
    make_roles(apps)


class Migration(migrations.Migration):
    """Who runs the kitchens sees who tried to log in."""

    dependencies = [
        ("huuva", "0003_roles_hours"),
        ("huuva", "0004_login_attempts"),
    ]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
