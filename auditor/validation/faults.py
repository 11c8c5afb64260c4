"""Pydantic's errors in our words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter, ValidationError

from auditor.places import Place
from auditor.scalars import TAG, UNKNOWN
from auditor.words import closest, did_you_mean, listed, quoted
from auditor.yamlfile import Document, Fault

UNKNOWN_KEY = ("unexpected_keyword_argument", "extra_forbidden")
KINDS = {
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "dataclass_type": "a mapping",
    "dataclass_args_type": "a mapping",
    "union_tag_not_found": "a mapping",
}


def faults_of(invalid: ValidationError, adapter: TypeAdapter[Any], document: Document) -> Iterator[Fault]:
    """A fault for each error, at its place in the document."""
    errors = invalid.errors(include_url=False)
    places = [error["loc"] for error in errors if error["type"] in UNKNOWN_KEY]
    schema = adapter.json_schema() if places else {}
    unknown = {place: _keys(schema, place[:-1]) for place in places}
    meant = {(*loc[:-1], word) for loc, keys in unknown.items() for word in [closest(str(loc[-1]), keys)] if word}
    for error in errors:
        parts = error["loc"]
        place: Place = tuple(part for part in parts if not (isinstance(part, str) and part.startswith((TAG, "[key]"))))
        if error["type"] == "value_error":
            # A scalar written short for a mapping has no field of its own in the document.
            yield Fault(document.known(place), str(error["ctx"]["error"]))
        elif error["type"] == "missing":
            if parts not in meant:  # it is there, spelt wrong, and told
                yield Fault(place, "is missing")
        elif error["type"] in UNKNOWN_KEY:
            keys = unknown[parts]
            hint = did_you_mean(str(parts[-1]), keys) or (f"; expected {listed(keys)}" if keys else "")
            yield Fault(place, f"unknown key{hint}")
        elif error["type"] == "literal_error":
            words = re.findall("'([^']*)'", error["ctx"]["expected"])
            hint = did_you_mean(str(error["input"]), words)
            yield Fault(place, f"{quoted(error['input'])} is unknown; expected {listed(words)}{hint}")
        elif error["type"] in KINDS:
            there = "nothing is there" if error["input"] is None else f"there is {quoted(error['input'])}"
            yield Fault(place, f"expected {KINDS[error['type']]}, {there}")
        else:
            yield Fault(place, f"{quoted(error['input'])} does not fit: {error['msg']}")


def _keys(schema: dict[str, Any], place: Place) -> list[str]:
    """The keys that a mapping at `place` may have, sorted; `place` as pydantic gives it."""
    definitions = schema.get("$defs", {})
    nodes = list(_expanded([schema], definitions))
    for part in place:
        inner: list[dict[str, Any]] = []
        for node in nodes:
            if isinstance(part, int):
                inner.append(node.get("items", {}))
            elif part.startswith(TAG):
                inner += [] if part == UNKNOWN else node.get("oneOf", [])[int(part[1:]) :][:1]
            elif part in node.get("properties", {}):
                inner.append(node["properties"][part])
            else:  # a mapping by names, which may have to look so or so
                inner += node.get("patternProperties", {}).values()
                if isinstance(node.get("additionalProperties"), dict):
                    inner.append(node["additionalProperties"])
        nodes = list(_expanded(inner, definitions))
    return sorted({key for node in nodes for key in node.get("properties", {})})


def _expanded(nodes: list[dict[str, Any]], definitions: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schemas behind references and alternatives."""
    for node in nodes:
        if "$ref" in node:
            yield from _expanded([definitions[node["$ref"].rsplit("/", 1)[-1]]], definitions)
        for kind in ("anyOf", "oneOf", "allOf"):
            yield from _expanded(node.get(kind, []), definitions)
        yield node
