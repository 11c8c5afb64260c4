"""Whether a JSON document is a report: by its schema, as far as the schemas that `auditor.reportschema` makes go."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from auditor.reportschema import TIME, report_schema
from auditor.words import listed, quoted

KINDS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "string": (str, "text"),
    "integer": (int, "a whole number"),
    "number": ((int, float), "a number"),
    "boolean": (bool, "true or false"),
    "null": (type(None), "null"),
    "array": (list, "a list"),
    "object": (dict, "an object"),
}


class Fault(NamedTuple):
    """What does not fit."""

    place: tuple[str | int, ...]  # innermost first
    expected: str  # "": what says `there` is enough
    there: str

    def __str__(self) -> str:
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in reversed(self.place))
        return f"{place.lstrip('.')}: " + (f"expected {self.expected}, {self.there}" if self.expected else self.there)


Checker = Callable[[Any], Fault | None]


def fault_of(document: object) -> Fault | None:
    """The first thing that makes the document no report; None where it is one."""
    return _report()(document)


@cache
def _report() -> Checker:
    schema = report_schema()
    known: dict[str, Checker] = {}

    def resolve(name: str) -> Checker:
        if name not in known:
            known[name] = lambda value: known[name](value)  # a type may hold itself
            known[name] = _checker(schema["$defs"][name], resolve)
        return known[name]

    return _checker(schema, resolve)


def _checker(schema: Mapping[str, Any], resolve: Callable[[str], Checker]) -> Checker:
    """What tells whether a value fits into that schema."""
    if "$ref" in schema:
        return resolve(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return _any_of([_checker(one, resolve) for one in schema["anyOf"]])
    if "const" in schema or "enum" in schema:
        return _one_of([schema["const"]] if "const" in schema else schema["enum"])
    if "type" not in schema:
        return lambda _: None
    kind, called = KINDS[schema["type"]]
    inner = _inner(schema, resolve)

    def check(value: Any) -> Fault | None:
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            return Fault((), called, _there(value))
        return inner(value)

    return check


def _inner(schema: Mapping[str, Any], resolve: Callable[[str], Checker]) -> Checker:
    """The same for a value that is of the schema's type already."""
    match schema["type"]:
        case "object":
            return _object(
                {name: _checker(one, resolve) for name, one in schema.get("properties", {}).items()},
                schema.get("required", ()),
            )
        case "array":
            return _array(_checker(schema.get("items", {}), resolve))
        case "string" if "pattern" in schema:
            pattern = re.compile(schema["pattern"])
            called = "a time in UTC" if schema["pattern"] == TIME["pattern"] else f"text that fits {schema['pattern']}"
            return lambda value: None if pattern.search(value) else Fault((), called, _there(value))
        case "integer" if "minimum" in schema:
            least, most = schema["minimum"], schema.get("maximum")
            called = f"a number from {least} on" if most is None else f"a number from {least} to {most}"
            return lambda value: (
                None if least <= value and (most is None or value <= most) else Fault((), called, _there(value))
            )
    return lambda _: None


def _object(properties: Mapping[str, Checker], required: Any) -> Checker:
    def check(value: dict[str, Any]) -> Fault | None:
        for name in required:
            if name not in value:
                return Fault((name,), "", "is missing")
        for name, one in value.items():
            fault = properties[name](one) if name in properties else None
            if fault is not None:
                return fault._replace(place=(*fault.place, name))
        return None

    return check


def _array(item: Checker) -> Checker:
    def check(value: list[Any]) -> Fault | None:
        for number, one in enumerate(value):
            fault = item(one)
            if fault is not None:
                return fault._replace(place=(*fault.place, number))
        return None

    return check


def _any_of(checkers: list[Checker]) -> Checker:
    def check(value: Any) -> Fault | None:
        faults = []
        for one in checkers:
            fault = one(value)
            if fault is None:
                return None
            faults.append(fault)
        deepest = max(faults, key=lambda fault: len(fault.place))
        return deepest if deepest.place else deepest._replace(expected=listed(fault.expected for fault in faults))

    return check


def _one_of(values: list[Any]) -> Checker:
    expected = listed([quoted(value) if isinstance(value, str) else str(value) for value in values])
    return lambda value: None if isinstance(value, str) and value in values else Fault((), expected, _there(value))


def _there(value: object) -> str:
    """What is there, in words."""
    if isinstance(value, str | list | dict):
        return f"there is {quoted(value)}"
    return f"there is {'null' if value is None else str(value).lower()[:60]}"
