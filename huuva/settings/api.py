"""The order API and its description."""

from huuva.settings.base import env

HUUVA_RATE_LIMIT = env.int(
    "HUUVA_RATE_LIMIT",
    1200,
    minimum=0,
    maximum=10_000_000,
    description="Calls a minute for each API key; 0: no limit",
)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["integrations.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["integrations.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["integrations.throttling.KeyRateThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["core.jsonio.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.jsonio.StrictJsonParser"],
    "DEFAULT_SCHEMA_CLASS": "core.openapi.HuuvaSchema",
    "EXCEPTION_HANDLER": "core.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.jsonio.JsonNegotiation",
}
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.0",
    "TITLE": "Huuva",
    "DESCRIPTION": "Orders of pickup-only kitchens: create them, move them on, read what happened.",
    "VERSION": "1",
    "SERVE_PUBLIC": True,
    "SCHEMA_PATH_PREFIX": "/api",
    "COMPONENT_SPLIT_PATCH": False,
    "SERVERS": [{"url": "/"}],
    "POSTPROCESSING_HOOKS": ["integrations.api.webhook_schema.add_events", "core.openapi.finish"],
    "PREPROCESSING_HOOKS": ["core.openapi.one_path_each"],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
}
