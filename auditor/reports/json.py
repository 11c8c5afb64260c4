"""The whole report as one JSON document; schema `auditor.report/1`.

Every entry of a list stands on a line of its own, so that reports can be compared line by line.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, TextIO

from auditor.document import brief
from auditor.manifest import manifest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.result import Audit

SUFFIXES = (".json",)
# Written. For more of them the kernel gives fresh memory each time, and that takes longer than to fill it.
LINES_AT_A_TIME = 256


def prepare() -> None:
    """Import what is slow to import."""
    import orjson  # noqa: F401

    import auditor.rulefiles  # noqa: F401  # for the manifest


def write(report: Audit, stream: TextIO) -> None:
    """Write the document (see `auditor.document`), flows and findings as they come: there may be a million."""
    document: dict[str, Any] = {**brief(report), "manifest": manifest_of(report, hashed=False)}
    document["flows"], document["findings"] = report.flow_entries(), (one.to_dict() for one in report.judged.findings)
    before = "{\n"
    for key, value in document.items():
        stream.write(f'{before}"{key}":')
        if isinstance(value, dict | str | None):
            stream.write(_encode(value))
        else:
            _write_lines(stream, iter(value))
        before = ",\n"
    stream.write("\n}\n")


def _write_lines(stream: TextIO, entries: Iterator[Any]) -> None:
    before, after = "[\n  ", "[]"
    while some := list(islice(entries, LINES_AT_A_TIME)):
        stream.write(before + _lines(some))
        before, after = ",\n  ", "\n]"
    stream.write(after)


def _lines(entries: list[Any]) -> str:
    """A line for each entry. All are encoded at once, in two thirds of the time, and parted where the next one begins.

    That is told by the key that all of them begin with: within a text its quotes would be escaped. Where it begins
    other objects as well there are more parts than entries, and each entry is encoded by itself.
    """
    begins = {next(iter(one), None) if isinstance(one, dict) else None for one in entries}
    if len(begins) == 1 and None not in begins:
        text, first = _encode(entries), _encode(*begins)
        lines = text[1:-1].split(f"}},{{{first}:")
        if len(lines) == len(entries):
            return f"}},\n  {{{first}:".join(lines)
    return ",\n  ".join(map(_encode, entries))


def _encode(value: object) -> str:
    """ASCII: a terminal may obey other characters, and names of files need not be UTF-8."""
    import orjson  # which brings `dataclasses`: a watch writes its report at its end

    try:
        text = orjson.dumps(value)
    except orjson.JSONEncodeError:  # lone surrogates, which stand for bytes that are no UTF-8
        text = b""
    return text.decode() if text and text.isascii() else _encode_in_ascii(value)


def _encode_in_ascii(value: object) -> str:
    import json

    return json.dumps(value, allow_nan=False, separators=(",", ":"))
