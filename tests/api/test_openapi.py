"""The description of the API: OpenAPI 3.1, complete, and readable without the internet."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest

from tests.api.client import Client

VERBS = {"get", "post", "put", "patch", "delete"}
WANTED = {
    ("/api/orders", "post"), ("/api/orders", "get"), ("/api/orders/{id}", "get"), ("/api/orders/{id}", "patch"),
    ("/api/orders/{id}/items/{plu}", "patch"), ("/api/orders/{id}/recall", "post"), ("/api/orders/events", "get"),
}  # fmt: skip
OUTSIDE = re.compile(rb"(?:https?:)?//[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}")
LOADED = re.compile(rb"""(?:src|href|url|spec-url)\s*[=:(]\s*["']?([^"'\s)>]+)""")


@pytest.fixture(scope="module")
def document(anonymous: Client) -> dict[str, Any]:
    answer = anonymous.get("/openapi.json")
    assert answer.media_type in ("application/json", "application/vnd.oai.openapi+json")
    return dict(answer.json())


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for verb in VERBS & item.keys():
            yield path, verb, item[verb]


def resolved(document: dict[str, Any], node: Any) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        target: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(child)


def test_it_is_openapi_3_1_with_every_call(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"]
    assert document["info"]["version"]
    calls = {(path, verb) for path, verb, _ in operations(document)}
    assert calls >= WANTED, WANTED - calls


def test_every_reference_leads_somewhere_and_every_schema_is_right(document: dict[str, Any]) -> None:
    for node in nodes(document):
        if isinstance(node.get("$ref"), str):
            assert resolved(document, node) is not None
    for name, schema in document["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert "nullable" not in schema, f"{name} uses a word of OpenAPI 3.0"
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))


def test_every_path_parameter_is_described(document: dict[str, Any]) -> None:
    for path, verb, operation in operations(document):
        shared = document["paths"][path].get("parameters", [])
        described = [
            resolved(document, parameter) for parameter in [*operation.get("parameters", []), *shared]
        ]
        in_path = {parameter["name"] for parameter in described if parameter["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", path)), f"{verb} {path}"


def test_every_operation_has_examples(document: dict[str, Any]) -> None:
    for path, verb, operation in operations(document):
        contents = [resolved(document, operation.get("requestBody", {})).get("content", {})]
        contents += [
            resolved(document, response).get("content", {})
            for status, response in operation["responses"].items()
            if status.startswith("2")
        ]
        for content in contents:
            for media, described in content.items():
                if media == "application/json":
                    schema = resolved(document, described.get("schema", {}))
                    keys = {"example", "examples"} & (described.keys() | schema.keys())
                    assert keys, f"{verb} {path}: {media} without an example"


def test_examples_are_right_by_their_own_schemas(document: dict[str, Any]) -> None:
    for path, verb, operation in operations(document):
        bodies = [resolved(document, operation.get("requestBody", {})), *operation["responses"].values()]
        for body in bodies:
            for described in resolved(document, body).get("content", {}).values():
                validator = jsonschema.Draft202012Validator(
                    {**described.get("schema", {}), "components": document["components"]}
                )
                for example in described.get("examples", {}).values():
                    value = resolved(document, example)["value"]
                    errors = [error.message for error in validator.iter_errors(value)]
                    assert errors == [], f"{verb} {path}: {errors[:3]}"


def test_every_order_operation_documents_its_problems(document: dict[str, Any]) -> None:
    always = {"401", "403", "429", "503"}
    more = {
        ("/api/orders", "post"): {"400", "409", "413", "415", "422"},
        ("/api/orders", "get"): {"400"},
        ("/api/orders/{id}", "get"): {"404"},
        ("/api/orders/{id}", "patch"): {"400", "404", "409", "412", "413", "415"},
        ("/api/orders/{id}/items/{plu}", "patch"): {"400", "404", "409", "412", "413", "415"},
        ("/api/orders/{id}/recall", "post"): {"400", "404", "409", "412", "413", "415"},
        ("/api/orders/events", "get"): {"400"},
    }
    for path, verb, operation in operations(document):
        extra = more.get((path, verb))
        if extra is None:
            continue
        missing = (always | extra) - operation["responses"].keys()
        assert not missing, f"{verb} {path} says nothing of {missing}"
        for status, response in operation["responses"].items():
            if status >= "400":
                content = resolved(document, response)["content"]
                assert list(content) == ["application/problem+json"], f"{verb} {path} {status}"


def test_every_order_operation_asks_for_a_key(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert [
        scheme
        for scheme in schemes.values()
        if scheme["type"] == "http" and scheme["scheme"].lower() == "bearer"
    ]
    for path, verb, operation in operations(document):
        if path.startswith("/api/orders"):
            assert operation.get("security", document.get("security")), f"{verb} {path}"


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_the_pages_load_nothing_from_elsewhere(anonymous: Client, path: str) -> None:
    answer = anonymous.get(path, headers={"Accept": "text/html"})
    assert (answer.status, answer.media_type) == (200, "text/html")
    loaded = [link.decode() for link in LOADED.findall(answer.body)]
    assert loaded
    for link in loaded:
        assert not OUTSIDE.match(link.encode()), link
    for link in loaded:
        if link.endswith((".js", ".css")):
            asset = anonymous._send("GET", link if link.startswith("/") else f"/api{path}/{link}", None, {})
            assert asset.status == 200, link
    assert b"fonts.googleapis" not in answer.body
    assert b"cdn." not in answer.body
    policy = answer.headers["Content-Security-Policy"]
    sources = [
        word for word in policy.replace(";", " ").split() if word.startswith(("http:", "https:", "//", "*"))
    ]
    assert {urlsplit(source).hostname for source in sources} <= {
        anonymous.host
    }  # where the live streams come from
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
