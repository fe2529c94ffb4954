"""Webhooks, channels, and mails of alerts."""

from core.mail import mailer
from huuva.settings.base import env

HUUVA_WEBHOOKS_ALLOW_PRIVATE = env.bool(
    "HUUVA_WEBHOOKS_ALLOW_PRIVATE",
    default=False,
    description="Allow webhooks to private networks and any port: only if everyone with a key is trusted",
)
HUUVA_WEBHOOKS_ALLOW_HTTP = env.bool(
    "HUUVA_WEBHOOKS_ALLOW_HTTP", default=False, description="Allow webhooks to http://, unencrypted"
)
HUUVA_DELIVERY_LOG_DAYS = env.int(
    "HUUVA_DELIVERY_LOG_DAYS",
    30,
    minimum=3,
    maximum=3650,
    description="Days after which finished deliveries and their attempts are deleted",
)
HUUVA_CHANNEL_LOG_DAYS = env.int(
    "HUUVA_CHANNEL_LOG_DAYS",
    14,
    minimum=1,
    maximum=365,
    description="Days after which messages of channels are deleted; fewer if a kitchen keeps customers' data for less",
)
HUUVA_END_STALLING_SESSIONS_SECONDS = env.int(
    "HUUVA_END_STALLING_SESSIONS_SECONDS",
    0,
    minimum=0,
    maximum=86_400,
    description="Seconds after which a database session that stalls the change feed is ended, 30 or more; 0: never",
)
HUUVA_SMTP_URL = env.url(
    "HUUVA_SMTP_URL",
    schemes=("smtp", "smtps"),
    default="",
    secret=True,
    description="Mail server for alerts, as smtp://user:password@host:587 (STARTTLS) or smtps://…:465; unset: no mail",
)
HUUVA_MAIL_FROM = env.str("HUUVA_MAIL_FROM", "huuva@localhost", description="Sender of mails")
HUUVA_ALERT_EMAILS = env.list(
    "HUUVA_ALERT_EMAILS", [], description="Who gets alerts by mail, separated by commas"
)
# Without the URL nothing is sent, but Django needs a mailer.
MAILERS = {"default": mailer(HUUVA_SMTP_URL or "smtp://localhost")}
DEFAULT_FROM_EMAIL = HUUVA_MAIL_FROM
