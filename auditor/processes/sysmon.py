"""Network events of Sysmon (event 3): who connected from where to where, and when.

Collectors wrap an event in different ways: flat, with `EventData`, with `winlog.event_data`, or with a list of named
values. Its own field names stay, so the record is looked for by them, wherever it stands.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from auditor.processes.connection import PROTOCOLS, Connection, address_number, file_name, nanoseconds, port_number

NETWORK_EVENT = "3"
FIELDS = ("utctime", "image", "protocol", "sourceip", "sourceport", "destinationip", "destinationport")
UNKNOWN = "<unknown process>"  # what Sysmon writes for a process that had already ended
_EVENT_IDS = ("eventid", "event_id")


def is_json(text: str) -> bool:
    """Whether this looks like JSON, in one piece or line by line."""
    return text.lstrip()[:1] in ("{", "[")


def is_csv(text: str) -> bool:
    """Whether the first line names the columns of network events."""
    return {"sourceip", "destinationip"} <= set(_columns(text))


def from_json(text: str) -> Iterator[Connection]:
    """Connections of all network events. Raises: ValueError, with the line."""
    decoder, at, line, counted = json.JSONDecoder(), 0, 1, 0
    while at < len(text):
        if text[at].isspace() or text[at] == ",":
            at += 1
            continue
        line, counted = line + text.count("\n", counted, at), at
        try:
            value, at = decoder.raw_decode(text, at)
            events = list(_events(value))
        except json.JSONDecodeError as problem:
            raise ValueError(f"line {problem.lineno}: is no JSON: {problem.msg}") from None
        except RecursionError:
            raise ValueError(f"line {line}: is nested too deeply; expected Sysmon's events") from None
        yield from (one for event in events if (one := _connection(event, f"line {line}")) is not None)


def from_csv(text: str) -> Iterator[Connection]:
    """Connections of all network events. Raises: ValueError, with the line."""
    names = _columns(text)
    missing = [name for name in FIELDS if name not in names]
    if missing:
        raise ValueError(f"line 1: columns {', '.join(missing)} are missing; expected those of Sysmon's event 3")
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        next(reader)
        for cells in reader:
            if cells:
                found = _connection(dict(zip(names, cells, strict=False)), f"line {reader.line_num}")
                if found is not None:
                    yield found
    except csv.Error as problem:
        raise ValueError(f"line {reader.line_num}: is no CSV: {problem}") from None


def _columns(text: str) -> list[str]:
    first = text.partition("\n")[0]
    return [_plain(name) for name in next(csv.reader([first.strip()]), [])]


def _plain(name: object) -> str:
    return str(name).replace(" ", "").lower()


def _events(value: Any) -> Iterator[Mapping[str, Any]]:
    """The mappings within a value that hold an event's own fields; events known to be of another kind are left out."""
    if isinstance(value, list):
        named = _named_values(value)
        for child in [named] if named else value:
            yield from _events(child)
    elif isinstance(value, dict):
        fields = {_plain(name): child for name, child in value.items()}
        if _event_id(fields) not in ("", NETWORK_EVENT):
            return
        if all(name in fields for name in FIELDS):
            yield fields
            return
        for child in fields.values():
            yield from _events(child)


def _event_id(fields: Mapping[str, Any]) -> str:
    """The kind of event that a mapping, or one right within it, names; empty: none."""
    for part in [fields, *(child for child in fields.values() if isinstance(child, dict))]:
        for name, value in part.items():
            if _plain(name) in _EVENT_IDS:
                return str(value.get("#text", "") if isinstance(value, dict) else value).strip()
    return ""


def _named_values(items: list[Any]) -> dict[str, Any]:
    """A list of named values, as XML turned into JSON has them, as a mapping; empty where it is none."""
    found = {}
    for item in items:
        if not isinstance(item, dict):
            return {}
        fields = {_plain(name).lstrip("@#"): value for name, value in item.items()}
        if "name" not in fields:
            return {}
        found[str(fields["name"])] = fields.get("text", fields.get("value", ""))
    return found


def _connection(event: Mapping[str, Any], place: str) -> Connection | None:
    """Raises: ValueError, with the place."""
    values = {name: str(event.get(name, "")).strip() for name in FIELDS}
    kinds = [str(event[name]).strip() for name in _EVENT_IDS if name in event]
    program = file_name(values["image"])
    if not program or values["image"] == UNKNOWN or kinds not in ([], [NETWORK_EVENT]):
        return None
    try:
        protocol = PROTOCOLS[values["protocol"].lower()]
        source, target = address_number(values["sourceip"]), address_number(values["destinationip"])
        ports = port_number(values["sourceport"]), port_number(values["destinationport"])
        moment = datetime.fromisoformat(values["utctime"])
    except KeyError:
        raise ValueError(f"{place}: protocol {values['protocol']!r}; expected tcp or udp") from None
    except ValueError as problem:
        raise ValueError(f"{place}: {problem}; expected a network event of Sysmon") from None
    utc = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return Connection(protocol, source, ports[0], target, ports[1], nanoseconds(utc), program)
