"""The roles of managers: groups with their permissions, created by a migration.

An existing role gets missing permissions, and keeps those that were added to it.
"""

from typing import Any, Final

KITCHEN_MANAGER: Final = "Kitchen manager"
OPERATIONS: Final = "Operations"
INTEGRATOR_SUPPORT: Final = "Integrator support"


def _may(app: str, model: str, *verbs: str) -> list[str]:
    return [f"{app}.{verb}_{model}" for verb in verbs]


ALL: Final = ("view", "add", "change", "delete")

# Only for the kitchens that are listed with the user.
_KITCHEN_MANAGER: Final = [
    *_may("orders", "order", "view", "move", "export"),
    *_may("orders", "customer", "view"),
    *_may("orders", "kitchen", "view", "change"),
    *_may("orders", "openinghours", *ALL),
    *_may("orders", "closeddays", *ALL),
    *_may("orders", "kitchenpace", "view", "change"),
    *_may("orders", "brand", "view"),
    *_may("analytics", "dashboard", "view"),
    *_may("kitchen_display", "screen", *ALL),
    *_may("kitchen_display", "station", *ALL),
    *_may("kitchen_display", "stationrule", *ALL),
    *_may("integrations", "channellink", "view"),
    *_may("integrations", "channellocation", "view"),
]
ROLES: Final[dict[str, list[str]]] = {
    KITCHEN_MANAGER: _KITCHEN_MANAGER,
    # Everything but users and roles, which could make more of themselves.
    OPERATIONS: [
        *_KITCHEN_MANAGER,
        "orders.work_everywhere",
        *_may("orders", "customer", "erase"),
        *_may("orders", "kitchen", "add", "delete"),
        "orders.set_kitchen_policy",
        *_may("orders", "brand", "add", "change", "delete"),
        *_may("integrations", "apikey", "view", "add", "change"),
        *_may("integrations", "webhookendpoint", *ALL),
        *_may("integrations", "delivery", "view", "change"),
        *_may("integrations", "channellink", *ALL),
        *_may("integrations", "channellocation", *ALL),
        *_may("integrations", "channelmessage", "view", "change"),
        *_may("admin", "logentry", "view"),
        *_may("huuva", "loginattempt", "view", "change"),
    ],
    # Reads in all kitchens, without customers' data.
    INTEGRATOR_SUPPORT: [
        "orders.work_everywhere",
        *_may("orders", "order", "view"),
        *_may("orders", "kitchen", "view"),
        *_may("orders", "openinghours", "view"),
        *_may("orders", "closeddays", "view"),
        *_may("orders", "brand", "view"),
        *_may("integrations", "apikey", "view"),
        *_may("integrations", "webhookendpoint", "view"),
        *_may("integrations", "delivery", "view"),
        *_may("integrations", "channellink", "view"),
        *_may("integrations", "channellocation", "view"),
        *_may("integrations", "channelmessage", "view"),
    ],
}


def make_roles(apps: Any, roles: dict[str, list[str]] = ROLES) -> None:
    """For a migration: create the groups with at least these permissions, which Django itself creates only after all
    migrations. Raises Permission.DoesNotExist for a misspelt one."""
    from django.contrib.auth.management import create_permissions

    for config in apps.get_app_configs():
        config.models_module = True  # otherwise it counts as an app without models
        create_permissions(config, apps=apps, verbosity=0)
        config.models_module = None
    group_model, permission_model = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for name, permissions in roles.items():
        group, _ = group_model.objects.get_or_create(name=name)
        for each in permissions:
            app, codename = each.split(".")
            group.permissions.add(
                permission_model.objects.get(content_type__app_label=app, codename=codename)
            )
