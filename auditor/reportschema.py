"""The JSON Schema of the report, made from the types in `auditor.reporttypes`.

Shipped as `auditor/generated/report.schema.json`. Objects are open: a later version may add keys, never take any away.
"""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from auditor.document import SCHEMA
from auditor.reporttypes import Document

TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$"}
PORT = {"type": "integer", "minimum": 0, "maximum": 65535}
COUNT = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}
FLOW_ID = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
SIMPLE: dict[object, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
    object: {},
}
NAMED: dict[str, dict[str, Any]] = {"time": TIME, "port": PORT, "count": COUNT, "flow id": FLOW_ID}


def report_schema() -> dict[str, Any]:
    """The schema of the JSON report."""
    definitions: dict[str, Any] = {}
    root = _schema_of(Document, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{SCHEMA.replace('/', ':')}",
        "title": "Report of the traffic auditor",
        **definitions.pop(root["$ref"].rpartition("/")[2]),
        "$defs": definitions,
    }


def _schema_of(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        schema = _schema_of(arguments[0], definitions)
        for note in arguments[1:]:
            schema.update(NAMED.get(note, {"description": note}))
        return schema
    if origin is Literal:
        return {"const": arguments[0]} if len(arguments) == 1 else {"enum": list(arguments)}
    if origin in (Union, UnionType):
        return {"anyOf": [_schema_of(one, definitions) for one in arguments]}
    if origin is list:
        return {"type": "array", "items": _schema_of(arguments[0], definitions)}
    if origin is dict:
        return {"type": "object"}
    if is_typeddict(kind):
        return _reference(kind, definitions)
    return dict(SIMPLE[kind])


def _reference(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if kind.__name__ not in definitions:
        definitions[kind.__name__] = {}  # a type may hold itself
        hints = get_type_hints(kind, include_extras=True)
        definitions[kind.__name__] = {
            **({"description": kind.__doc__} if kind.__doc__ else {}),
            "type": "object",
            "properties": {name: _schema_of(hint, definitions) for name, hint in hints.items()},
            "required": [name for name in hints if name in kind.__required_keys__],
        }
    return {"$ref": f"#/$defs/{kind.__name__}"}
