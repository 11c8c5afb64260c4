"""The report's formats: one file per format, named after it, found by looking at this folder.

A format file has `SUFFIXES`, the endings of file names that mean this format, and `write(report, stream)`, which
writes one audit to a text stream. All of them show the same document (`auditor.document`).
"""

from __future__ import annotations

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


def suffixes() -> dict[str, tuple[str, ...]]:
    """File name endings by format."""
    return {format: module.SUFFIXES for format, module in discovery.modules(__name__)}


def prepare(formats: Iterable[str]) -> None:
    """Import what these formats need: beside a scan that costs no time."""
    for format in formats:
        import_module(f"{__name__}.{format}")


def write(format: str, report: Audit, stream: TextIO) -> None:
    """Write the report in this format."""
    import_module(f"{__name__}.{format}").write(report, stream)
