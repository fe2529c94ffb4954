"""Who calls the API: `Authorization: Bearer huuva_<prefix>_<secret>`."""

import hmac
import time
from typing import Final

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from core.problems import Problem
from integrations.key_cache import KeyGrant, KeyPrincipal, key_cache, note_use
from integrations.keys import parse_key

__all__ = ["CHALLENGE", "ApiKeyAuthentication", "KeyGrant", "KeyPrincipal"]

# RFC 6750 §3: the challenge says how to send a key, and names the error of a wrong one.
CHALLENGE: Final = 'Bearer realm="huuva"'
_INVALID: Final = f'{CHALLENGE}, error="invalid_token"'


class ApiKeyAuthentication(BaseAuthentication):
    """Sets `request.user` to a KeyPrincipal and `request.auth` to a KeyGrant.

    Leaves a request without a Bearer key to the permission, which answers 401 `missing_key` where one is needed.
    Raises Problem 401 `invalid_key`, and database errors as they are.
    """

    def authenticate(self, request: Request) -> tuple[KeyPrincipal, KeyGrant] | None:
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        parsed = parse_key(token.strip())
        if parsed is None:
            raise _invalid(
                "This is not a key of Huuva: keys look like huuva_<prefix>_<secret>. Copy it whole."
            )
        entry = key_cache.get(parsed.prefix)
        if entry is None or not hmac.compare_digest(parsed.digest, entry.digest):
            raise _invalid("This key is unknown. Check that it was copied whole and belongs to this server.")
        # Only callers with the secret learn that the key has ended.
        if entry.revoked:
            raise _invalid("This key was revoked. Ask the operator of this server for a new one.")
        if entry.expires_at is not None and entry.expires_at <= time.time():
            raise _invalid("This key has expired. Ask the operator of this server for a new one.")
        note_use(entry)
        return entry.principal, entry.grant

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


def _invalid(detail: str) -> Problem:
    return Problem("invalid_key", detail, status=401, headers={"WWW-Authenticate": _INVALID})
