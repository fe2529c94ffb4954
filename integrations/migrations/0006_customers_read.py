"""Keys that could read customers' data so far go on doing so: it now needs a scope of its own."""

from typing import Any

from django.db import migrations

CUSTOMERS, ORDERS = "customers:read", "orders:read"


def grant(apps: Any, schema_editor: Any) -> None:
    keys = apps.get_model("integrations", "ApiKey").objects.filter(scopes__contains=[ORDERS])
    for key in keys.exclude(scopes__contains=[CUSTOMERS]):
        key.scopes = sorted({*key.scopes, CUSTOMERS})
        key.save(update_fields=["scopes"])


def take_back(apps: Any, schema_editor: Any) -> None:
    """A key that has no other scope keeps it: one it must have, and any other would open something."""
    keys = apps.get_model("integrations", "ApiKey").objects.filter(scopes__contains=[CUSTOMERS])
    for key in keys.filter(scopes__len__gt=1):
        key.scopes = [scope for scope in key.scopes if scope != CUSTOMERS]
        key.save(update_fields=["scopes"])


class Migration(migrations.Migration):
    dependencies = [("integrations", "0005_expired_keys")]

    operations = [migrations.RunPython(grant, take_back)]
