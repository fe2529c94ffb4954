"""Which link sent a message: the body claims one, its signature proves it. Nothing else is trusted before that."""

import json
from collections.abc import Mapping
from typing import Any, Final

from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from structlog import get_logger

from core.problems import Problem
from integrations.adapters.base import Adapter
from integrations.channels.secrets import decrypt_secret, is_signed
from integrations.models.channels import ChannelLink, ChannelLocation

log = get_logger(__name__)
CHALLENGE: Final = 'HMAC-SHA256 realm="huuva"'


class SignedByLink(BaseAuthentication):
    """Sets `request.user` to the ChannelLink whose secret signed the raw body. The view names its `adapter`.

    An unknown or inactive link, a body that can't be read and a wrong signature are the same 401 `invalid_signature`.
    Raises DatabaseError as it is: 503.
    """

    def authenticate(self, request: Request) -> tuple[ChannelLink, None]:
        http = request._request
        view: Any = (request.parser_context or {})["view"]
        adapter: Adapter = view.adapter
        signature = http.headers.get(adapter.signature_header, "")
        if not signature:
            raise _refused(
                f"Send the header {adapter.signature_header}: HMAC-SHA256 of the raw body "
                "with the link's secret, as hex."
            )
        raw = http.body
        link = _claimed_link(adapter, raw, view.kwargs.get("link", ""))
        secret = decrypt_secret(link.secret) if link else None
        if not is_signed(secret, raw, signature) or link is None:
            log.warning("channel_signature_refused", kind=adapter.kind, channel=link.slug if link else "")
            raise _refused(
                "The signature does not match. Sign the exact bytes of the body with the secret of the link "
                "that the body names, and check that this link is set up here and active."
            )
        return link, None

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class FromLink(BasePermission):
    """Allows what SignedByLink has verified."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.user, ChannelLink)


def _claimed_link(adapter: Adapter, raw: bytes, slug: str) -> ChannelLink | None:
    links = ChannelLink.objects.filter(channel_kind=adapter.kind, is_active=True)
    if slug:
        return links.filter(slug=slug).first()
    claim = adapter.claim(_peek(raw))
    if not (_is_queryable(claim.link) and _is_queryable(claim.location)):
        return None
    link = links.filter(external_id=claim.link).first() if claim.link else None
    if link is None and claim.location:
        # A channel that names no link, or one that we don't know: the location may belong to one link alone.
        locations = ChannelLocation.objects.filter(external_id=claim.location, link__in=links)
        owners = list(links.filter(pk__in=locations.values("link"))[:2])
        link = owners[0] if len(owners) == 1 else None
    return link


def _is_queryable(text: str) -> bool:
    """Whether it can be a parameter for PostgreSQL, which takes neither NUL nor half a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _peek(raw: bytes) -> Mapping[str, Any]:
    """The body, read leniently; the strict reader reads it once the signature matches."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _refused(detail: str) -> Problem:
    return Problem("invalid_signature", detail, status=401, headers={"WWW-Authenticate": CHALLENGE})
