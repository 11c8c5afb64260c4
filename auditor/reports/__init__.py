"""The report's formats: one file per format, named after it, found by looking at this folder.

A format file has `SUFFIXES`, the endings of file names that mean this format, and `write(report, stream)`, which
writes one audit to a text stream; one whose bytes are no text writes them to `stream.buffer`. All of them show the same
document (`auditor.document`). It may have
- `SHARED`: endings that mean this format only where `--format` says so, such as `.json`;
- `prepare()`, which imports what is slow to import;
- `HASHED`: true where its manifest has the hash of every input, however large.

Files that begin with an underscore are what formats share.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

from auditor import discovery

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from auditor.result import Audit


def formats() -> tuple[str, ...]:
    """The formats there are, in alphabetical order. Imports none of them."""
    return tuple(discovery.ids(__name__))


def suffixes(path: str = "") -> dict[str, tuple[str, ...]]:
    """File name endings by format; of one format alone where `path` can mean no other.

    That is a name with one dot and the format's own name behind it, `night.json`. To import all formats takes 20 ms.
    """
    stem, _, ending = os.path.basename(path).rpartition(".")
    if stem and "." not in stem and ending in formats():
        own: tuple[str, ...] = import_module(f"{__name__}.{ending}").SUFFIXES
        if f".{ending}" in own:
            return {ending: own}
    return {format: module.SUFFIXES for format, module in discovery.modules(__name__)}


def shared_suffixes() -> dict[str, tuple[str, ...]]:
    """File name endings that mean a format only where it is named, by format."""
    return {format: getattr(module, "SHARED", ()) for format, module in discovery.modules(__name__)}


def prepare(formats: Iterable[str]) -> bool:
    """Import what these formats need: beside a scan that costs no time. Whether one of them carries all hashes."""
    modules = [import_module(f"{__name__}.{format}") for format in formats]
    for module in modules:
        if hasattr(module, "prepare"):
            module.prepare()
    return any(getattr(module, "HASHED", False) for module in modules)


def write(format: str, report: Audit, stream: TextIO) -> None:
    """Write the report in this format."""
    import_module(f"{__name__}.{format}").write(report, stream)
