"""Google's discovery document of the Gmail API, from the client library.

Paths, verbs, scopes, parameters and bodies are checked against it, so that the sandbox accepts exactly what Google
accepts.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from oauth_web.demo.sandbox.refusals import invalid

_PYTHON_TYPES: Mapping[str, type] = {"string": str, "array": list, "boolean": bool, "integer": int}


@dataclass(frozen=True, slots=True)
class Method:
    """One method. name: such as "messages.get". schema: of its body, or ""."""

    name: str
    verb: str
    path: re.Pattern[str]
    scopes: frozenset[str]
    parameters: Mapping[str, Mapping[str, Any]]
    schema: str


@cache
def document() -> dict[str, Any]:
    packaged = files("googleapiclient.discovery_cache.documents").joinpath("gmail.v1.json")
    found: dict[str, Any] = json.loads(packaged.read_bytes())
    return found


@cache
def methods() -> tuple[Method, ...]:
    return tuple(_methods(document()))


def find_method(verb: str, path: str) -> tuple[Method, dict[str, str]] | None:
    """Return the method of a request, with the percent-encoded values in its path; None if there is none."""
    for method in methods():
        if method.verb == verb and (match := method.path.fullmatch(path)):
            return method, match.groupdict()
    return None


def check_query(method: Method, query: Mapping[str, list[str]]) -> None:
    """Refuse unknown parameters and invalid values."""
    known = {**document()["parameters"], **method.parameters}
    for name, values in query.items():
        if name not in known or known[name].get("location") == "path":
            raise invalid(
                f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter. '
                f"Field '{name}' could not be found in request message."
            )
        for value in values:
            _check_value(name, value, known[name])


def check_body(schema: str, body: Any) -> None:
    """Refuse unknown fields and values of a wrong type."""
    if not isinstance(body, dict):
        raise invalid("Invalid JSON payload received. Unexpected end of string.")
    properties = document()["schemas"][schema]["properties"]
    for name, value in body.items():
        if name not in properties:
            raise invalid(f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')
        _check_field(name, value, properties[name])


def _check_field(name: str, value: Any, spec: Mapping[str, Any]) -> None:
    if value is None:
        return
    if "$ref" in spec:
        check_body(spec["$ref"], value)
        return
    if not isinstance(value, _PYTHON_TYPES[spec["type"]]):
        raise invalid(f"Invalid value at '{name}' (TYPE_{spec['type'].upper()}), {value!r}")
    if "enum" in spec and value not in spec["enum"]:
        raise invalid(f"Invalid value at '{name}', \"{value}\"")
    if isinstance(value, list):
        for item in value:
            _check_field(name, item, spec["items"])


def _check_value(name: str, value: str, spec: Mapping[str, Any]) -> None:
    fits = {
        "integer": value.isdigit(),
        "boolean": value in ("true", "false"),
    }.get(spec.get("type", "string"), True)
    if not fits or ("enum" in spec and value not in spec["enum"] and name != "$.xgafv"):
        raise invalid(f"Invalid value at '{name}', \"{value}\"")


def _methods(resource: Mapping[str, Any]) -> Iterator[Method]:
    for method in resource.get("methods", {}).values():
        path = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape("/" + method["path"]))
        yield Method(
            name=method["id"].removeprefix("gmail.users."),
            verb=method["httpMethod"],
            path=re.compile(path),
            scopes=frozenset(method["scopes"]),
            parameters=method.get("parameters", {}),
            schema=method.get("request", {}).get("$ref", ""),
        )
    for below in resource.get("resources", {}).values():
        yield from _methods(below)
