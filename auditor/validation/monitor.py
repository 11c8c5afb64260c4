"""A watch's configuration from YAML."""

from __future__ import annotations

import os
import string
from collections.abc import Iterator
from typing import Any

from auditor import reports
from auditor.errors import MonitorError
from auditor.monitor.config import Monitor, is_file_name
from auditor.places import Place
from auditor.rulepack import shipped_packs
from auditor.validation import Rules, validate
from auditor.validation.given import empty_lists, mapping, mappings, texts
from auditor.words import did_you_mean, listed
from auditor.yamlfile import Fault

IN_NAMES = ("start", "end")


def validate_monitor(content: bytes, name: str) -> Monitor:
    """The configuration in a YAML document. Raises: MonitorError with every error of it."""
    return validate(Monitor, content, name, MonitorError, Rules(_names, _relations))


def _names(given: dict[str, Any]) -> Iterator[Fault]:
    for key in empty_lists(given, "interfaces", "windows", "packs", "sinks"):
        yield Fault((key,), "is empty; expected one at least" + ("" if key == "interfaces" else ", or no such key"))
    yield from _twice("interfaces", given)
    yield from _twice("packs", given)
    known = {pack.id for pack in shipped_packs()}
    for at, pack in texts(given, "packs"):
        if not is_file_name(pack) and pack not in known:
            hint = did_you_mean(pack, known) or f"; expected {listed(sorted(known))}, or a file"
            yield Fault(("packs", at), f"no rule pack {pack!r}{hint}")
    yield from _window_end_faults(given)
    seen: dict[str, int] = {}
    files: dict[str, int] = {}
    for at, sink in mappings(given, "sinks"):
        if isinstance(path := sink.get("path"), str):
            first = files.setdefault(os.path.normpath(path), at)
            if first != at:
                yield Fault(("sinks", at, "path"), f"{path!r} is that of sinks[{first}]; expected a file for each")
        label = sink.get("name") or sink.get("kind")
        if not isinstance(label, str):
            continue
        if label in seen:
            what = "is there twice" if sink.get("name") else "has the kind of another sink; expected a name for it,"
            yield Fault(
                ("sinks", at, "name" if sink.get("name") else "kind"),
                f"{label!r} {what} first in sinks[{seen[label]}]; names tell sinks apart",
            )
        seen.setdefault(label, at)


def _window_end_faults(given: dict[str, Any]) -> Iterator[Fault]:
    if "window_end" not in given:
        return
    end = mapping(given, "window_end")
    if not end.get("reports") and not end.get("tell"):
        yield Fault(("window_end",), "does nothing; expected reports or tell")
    endings = [suffix for suffixes in reports.suffixes().values() for suffix in suffixes]
    for at, path in texts(end, "reports"):
        place: Place = ("window_end", "reports", at)
        if not path.endswith(tuple(endings)):
            yield Fault(place, f"the suffix of {path!r} names no format; expected {listed(sorted(endings))}")
        yield from (Fault(place, message) for message in _template_faults(path))
    labels = [sink.get("name") or sink.get("kind") for _, sink in mappings(given, "sinks")]
    names = [label for label in labels if isinstance(label, str)]
    for at, name in texts(end, "tell"):
        if name not in names:
            hint = did_you_mean(name, names) or (f"; expected {listed(names)}" if names else "; there are no sinks")
            yield Fault(("window_end", "tell", at), f"no sink {name!r}{hint}")


def _template_faults(path: str) -> Iterator[str]:
    try:
        fields = [name for _, name, _, _ in string.Formatter().parse(path) if name is not None]
    except ValueError:
        yield f"{path!r} has a brace without its other; expected {{start}} or {{end}}"
        return
    for field in fields:
        if field not in IN_NAMES:
            yield f"{{{field}}} is unknown; expected {{start}} or {{end}}"
    if not fields:
        yield f"{path!r} is the same for each window, so that only the last would stay; expected {{start}} or {{end}}"


def _relations(monitor: Monitor, given: dict[str, Any]) -> Iterator[Fault]:
    if monitor.limits is not None and monitor.limits.memory is not None:
        from auditor.monitor.memory import MIB, smallest

        if monitor.limits.memory < (least := smallest(monitor)):
            written = mapping(given, "limits").get("memory")
            message = f"{written!r} is too little for what this file asks for; expected {least // MIB}M or more"
            yield Fault(("limits", "memory"), message)
    store = monitor.store
    if store is not None and store.sqlite and store.password is not None:
        yield Fault(("store", "password"), "has no effect with SQLite; expected a postgresql:// URL, or no password")
    for at, sink in enumerate(monitor.sinks):
        if not sink.events and sink.label not in (monitor.window_end.tell if monitor.window_end else ()):
            yield Fault(("sinks", at, "events"), "is empty; expected one at least: this sink would be told nothing")
        if sink.queue == 0:
            yield Fault(("sinks", at, "queue"), "0 leaves no room for anything; expected 1 or more")
        for key in ("min_severity", "waived", "group"):
            findings = {"opened", "updated", "closed"} & set(sink.events)
            written = [item for number, item in mappings(given, "sinks") if number == at]
            if not findings and written and key in written[0]:
                yield Fault(("sinks", at, key), "has no effect: this sink is told no findings; see its events")


def _twice(key: str, given: dict[str, Any]) -> Iterator[Fault]:
    seen: set[str] = set()
    for at, text in texts(given, key):
        if text in seen:
            yield Fault((key, at), f"{text!r} is there twice; expected once")
        seen.add(text)
