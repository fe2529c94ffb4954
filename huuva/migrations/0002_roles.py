from typing import Any

from django.db import migrations

from huuva.roles import ROLES, make_roles

# What tables of later migrations need, those migrations give.
LATER = ("_openinghours", "_closeddays", ".set_kitchen_policy", "_loginattempt")


def make(apps: Any, schema_editor: Any) -> None:
    make_roles(
        apps, {name: [each for each in wanted if not each.endswith(LATER)] for name, wanted in ROLES.items()}
    )


class Migration(migrations.Migration):
    # After all that has permissions to give.
    dependencies = [
        ("huuva", "0001_heartbeat"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("analytics", "0002_dashboard_sums"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("integrations", "0003_channels"),
        ("kitchen_display", "0002_amendment_alarms"),
        ("orders", "0005_kitchen_pace"),
    ]
    # Groups stay where a release is taken back: people are in them.
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
