"""Logs: one JSON object per line, with the request's id. No customer data: log ids, never bodies."""

import logging.config
import re
import sys
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import structlog

LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
# The last part of these paths is a secret: whoever opens the link pairs their browser.
_SECRET_PATH = re.compile(r"(/display/pair/)(?!status/?$).+", re.DOTALL)


def without_secrets(path: str) -> str:
    """A path, or a URL that ends in one, as it may be logged."""
    return _SECRET_PATH.sub(r"\1…", path)


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


_transform = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)


def _traceback(exc_info: Any) -> list[dict[str, Any]]:
    """A traceback without customer data: no local variables, and only the first line of each message, because
    PostgreSQL's DETAIL line holds the refused row."""
    stacks = _transform(exc_info)
    for stack in stacks:
        stack["exc_value"] = stack["exc_value"].partition("\n")[0]
    return stacks


# A task that takes longer is logged even if it succeeds.
SLOW_TASK_SECONDS: Final = 1.0


def is_news(record: logging.LogRecord) -> bool:
    """Whether a line of Celery says more than that a scheduled task was sent, received or done in time. There are
    75,000 of those a day, and a failure would be hard to see among them."""
    if record.levelno > logging.INFO:
        return True
    if record.name == "celery.app.trace":
        # Celery gives the seconds of a success, but not of a task that is retried or ignored.
        runtime = record.args.get("runtime") if isinstance(record.args, dict) else None
        return not isinstance(runtime, float) or runtime >= SLOW_TASK_SECONDS
    return not str(record.msg).startswith("Scheduler: Sending due task")


def _quiet(level: str) -> dict[str, Any]:
    if level == "DEBUG":
        return {}
    return {
        "celery.beat": {"filters": ["news"]},
        "celery.app.trace": {"filters": ["news"]},
        # Below that it only names each task received.
        "celery.worker.strategy": {"level": "WARNING"},
    }


def configure(config: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG. `config` holds the `level`."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "json": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": _SHARED,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        structlog.processors.ExceptionRenderer(_traceback),
                        structlog.processors.JSONRenderer(),
                    ],
                }
            },
            "filters": {"news": {"()": lambda: is_news}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
            "root": {"handlers": ["stderr"], "level": config["level"]},
            "loggers": {
                # The client learns of each 4xx; a line for each would hide the errors that are ours.
                "django.request": {"level": "ERROR"},
                "django.security": {"level": "ERROR"},
                **_quiet(config["level"]),
                # huuva.logins writes a line for each login.
                "axes": {"level": "ERROR"},
            },
        }
    )
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


_requests = logging.getLogger("huuva.request")


def request_line(**facts: Any) -> None:
    """Log one line for a request. Not through `logging`, which takes 1 ms that every order would wait for."""
    if _requests.isEnabledFor(logging.INFO):
        line = {
            **facts,
            "event": "request",
            "level": "info",
            "logger": _requests.name,
            "timestamp": datetime.now(UTC),
        }
        sys.stderr.write(orjson.dumps(line, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE).decode())
