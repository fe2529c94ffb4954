"""What holds for each answer of the server, whoever asks: headers, and pages without scripts or styles inside."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from tests.security.calls import Answer

NOSNIFF = {"X-Content-Type-Options": "nosniff"}
EVERY = {
    **NOSNIFF,
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def complaints(path: str, answer: Answer) -> Iterator[str]:
    headers = answer.response.headers
    for name, value in EVERY.items():
        if headers.get(name) != value:
            yield f"{name} is {headers.get(name)!r} instead of {value}"
    yield from _policy(path, headers.get("Content-Security-Policy", ""))
    if answer.is_page:
        yield from Markup.of(answer.body.decode())


def _policy(path: str, header: str) -> Iterator[str]:
    policy = {
        name: values.split()
        for name, _, values in (part.strip().partition(" ") for part in header.split(";"))
    }
    scripts, styles = policy.get("script-src", []), policy.get("style-src", [])
    for name, expected in {
        "default-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }.items():
        if policy.get(name) != [expected]:
            yield f"{name} is {policy.get(name)} instead of {expected}"
    if "'self'" not in scripts or "'unsafe-inline'" in scripts:
        yield f"script-src is {scripts}"
    if "'unsafe-eval'" in scripts and not path.startswith("/admin/"):
        yield "scripts may be evaluated outside the admin"
    if "'unsafe-inline'" in styles and path != "/api/redoc":
        yield "styles may stand in the page"
    if set(policy.get("style-src-attr", [])) - ({"'unsafe-inline'"} if path.startswith("/admin/") else set()):
        yield "styles may stand in attributes outside the admin"
    hosts = [word for words in policy.values() for word in words if "*" in word or word.startswith("http")]
    live = [word for word in policy.get("connect-src", []) if word.startswith("http")]
    if hosts and not (hosts == live and path.startswith(("/display/", "/pickup/"))):
        yield f"other hosts are let in: {hosts}"


class Markup(HTMLParser):
    """Finds what a strict policy would stop: scripts, styles and handlers inside the page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    @classmethod
    def of(cls, page: str) -> list[str]:
        parser = cls()
        parser.feed(page)
        return parser.found

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        is_data = "json" in (named.get("type") or "")
        if tag == "script" and not ({"src", "nonce"} & named.keys() or is_data):
            self.found.append(f"a script without nonce: {named}")
        if tag == "style" and "nonce" not in named:
            self.found.append(f"a style without nonce: {named}")
        for name, value in attributes:
            if re.fullmatch(r"on[a-z]+", name) or str(value).lower().lstrip().startswith("javascript:"):
                self.found.append(f"a handler inside <{tag}>: {name}={value!r}")
