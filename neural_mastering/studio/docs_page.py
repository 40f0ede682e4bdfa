"""The HTTP API as a page, made from its OpenAPI description without anything from elsewhere."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from typing import Any

_HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>nm-studio HTTP API</title>'
    '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/docs.css"></head><body><main>'
)

STYLE = """\
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { font-size: 1.05rem; margin: 1.6rem 0 0.2rem; }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
p, ul { margin: 0.2rem 0; }
"""
"""What the page looks like."""


def docs_page(openapi: Mapping[str, Any]) -> str:
    """One section a route: what it does, its parameters, the names in its body."""
    text = html.escape(openapi["info"]["title"])
    parts = [
        f"{_HEAD}<h1>{text} {html.escape(openapi['info']['version'])}: HTTP API</h1>",
        '<p>Send the token as <code>Authorization: Bearer TOKEN</code>. Errors are <code>{"error": text}</code>. '
        'The whole description: <a href="/openapi.json">openapi.json</a>.</p>',
    ]
    for path, methods in openapi["paths"].items():
        for method, route in methods.items():
            parts += _route(method, path, route, openapi)
    return "".join([*parts, "</main></body></html>"])


def _route(method: str, path: str, route: Mapping[str, Any], openapi: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h2><code>{method.upper()} {html.escape(path)}</code></h2>"
    yield f"<p>{html.escape(route.get('description', ''))}</p>"
    rows = [
        (each["name"], each.get("schema", {}))
        for each in route.get("parameters", [])
        if each["in"] == "query"
    ]
    content = route.get("requestBody", {}).get("content", {})
    schema = _resolved(content.get("application/json", {}).get("schema", {}), openapi)
    rows += list(schema.get("properties", {}).items())
    if rows:
        yield "<ul>"
        yield from (
            f"<li><code>{html.escape(name)}</code>: {html.escape(_type(each, openapi))}</li>"
            for name, each in rows
        )
        yield "</ul>"


def _resolved(schema: Mapping[str, Any], openapi: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    return openapi["components"]["schemas"][schema["$ref"].rpartition("/")[2]]


def _type(schema: Mapping[str, Any], openapi: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_type(each, openapi) for each in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return ", ".join(str(each) for each in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}), openapi)}"
    return str(schema.get("type", "anything"))
