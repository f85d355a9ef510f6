"""The OpenAPI 3.1 description, made from the routes and the models, so that it cannot lie about either."""

import re
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Litestar
from litestar.routes import HTTPRoute

from lumio.access.action import ActionMethod, Terms

SHOWN = "shown"
JSON = "application/json"
_PARAMETER = re.compile(r"\{(\w+):\w+\}")
_IN_PATH = re.compile(r"\{(\w+)\}")


class Shown(msgspec.Struct, frozen=True):
    """What a route says of itself: its action, its result, its body and its status."""

    terms: Terms
    result: Any
    body: Any = None
    query: Any = None
    status: int = 200
    bare: bool = False
    takes: str = JSON
    gives: str = JSON


def shows(
    action: ActionMethod[Any, Any, Any],
    result: Any,
    *,
    body: Any = None,
    status: int = 200,
    bare: bool = False,
    takes: str = JSON,
    gives: str = JSON,
    query: Any = None,
) -> dict[str, Any]:
    """Return the `opt` of a route served that describes it.

    Args:
        action: what the route runs.
        result: the shape of its answer, None for a file.
        body: the shape of what it is sent.
        status: of success.
        bare: whether the answer has no envelope.
        takes: the media type of the body.
        gives: the media type of the answer.
        query: the shape of its query, where the action records an event; of a plain read it is the action's input.
    """
    asked = query or _query(action, body)
    return {"opt": {SHOWN: Shown(action.terms, result, body, asked, status, bare=bare, takes=takes, gives=gives)}}


def _query(action: ActionMethod[Any, Any, Any], body: Any) -> Any:
    if body is not None or action.terms.event is not None:
        return None
    return action.input_type


@dataclass(frozen=True, slots=True)
class Described:
    """One method of one address that programs use, with what its route says of itself."""

    method: str
    path: str
    shown: Shown
    summary: str


def described(app: Litestar) -> list[Described]:
    """Return every described route of an application; the pages' own copy under `/api` is left out."""
    return [
        Described(str(method), _PARAMETER.sub(r"{\1}", route.path), served.opt[SHOWN], _first_line(served.fn.__doc__))
        for route in app.routes
        if isinstance(route, HTTPRoute) and not route.path.startswith("/api/")
        for method, (served, _) in sorted(route.route_handler_map.items())
        if SHOWN in served.opt
    ]


def _first_line(text: str | None) -> str:
    return (text or "").strip().split("\n")[0]


def describe(app: Litestar, title: str, version: str) -> dict[str, Any]:
    """Return the document for every described route."""
    routes = described(app)
    models = [model for one in routes for model in (one.shown.result, one.shown.body) if model is not None]
    schemas, components = msgspec.json.schema_components(models, ref_template="#/components/schemas/{name}")
    by_model = {id(model): schema for model, schema in zip(models, schemas, strict=True)}
    paths: dict[str, Any] = {}
    for one in routes:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, by_model)
    components["Problem"] = _PROBLEM
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": components, "securitySchemes": _SECURITY},
    }


def _operation(route: Described, by_model: dict[int, Any]) -> dict[str, Any]:
    one, path = route.shown, route.path
    terms = one.terms
    operation: dict[str, Any] = {
        "operationId": terms.name,
        "summary": route.summary,
        "responses": _responses(one, by_model),
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in _IN_PATH.findall(path)
        ],
    }
    if terms.permission is not None or terms.signed_in:
        operation["security"] = [{"bearer": []}]
    if terms.permission is not None:
        operation["x-permission"] = terms.permission
    if one.query not in {None, type(None)}:
        operation["parameters"] += _query_parameters(one.query, path)
    if _is_receipt(one):
        operation["parameters"].append(_PREFER)
    if one.body is not None:
        content = {one.takes: {"schema": by_model[id(one.body)]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _query_parameters(model: Any, path: str) -> list[dict[str, Any]]:
    in_path = set(_IN_PATH.findall(path)) | {"id"}
    components = msgspec.json.schema_components([model], ref_template="{name}")[1]
    properties = components[model.__name__]["properties"]
    return [
        {"name": name, "in": "query", "required": False, "schema": property_}
        for name, property_ in properties.items()
        if name not in in_path
    ]


def _is_receipt(one: Shown) -> bool:
    """Tell whether the answer says if what was ended is refused everywhere, which a client may wait for."""
    return one.terms.event is not None and {"seq", "effective"} <= set(getattr(one.result, "__struct_fields__", ()))


def _responses(one: Shown, by_model: dict[int, Any]) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    good: dict[str, Any] = {"description": "Done."}
    if one.result is not None:
        schema: Any = by_model[id(one.result)]
        if not one.bare:
            links = {"type": "object", "additionalProperties": {"type": "object"}}
            schema = {
                "type": "object",
                "required": ["data", "_links"],
                "properties": {"data": schema, "_links": links},
            }
        good["content"] = {one.gives: {"schema": schema}}
    elif one.gives != JSON:
        good["content"] = {one.gives: {}}
    if _is_receipt(one):
        good["headers"] = {"Preference-Applied": _APPLIED}
    return {str(one.status): good, "default": {"description": "A problem.", "content": problem}}


_PREFER = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": "wait=N: answer when it is refused everywhere, after N seconds (at most 30) at the latest.",
    "schema": {"type": "string"},
}

_APPLIED = {"description": "wait=N, where that was asked for and honoured.", "schema": {"type": "string"}}

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "rule", "message"],
                "properties": {name: {"type": "string"} for name in ("field", "rule", "message")},
            },
        },
    },
}

_SECURITY = {"bearer": {"type": "http", "scheme": "bearer", "description": "A developer key or an access token."}}
