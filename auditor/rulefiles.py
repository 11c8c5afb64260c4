"""The files that an audit's rules came from: its rule packs and its site, with their hashes and, on demand, lines."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

from auditor.documentfile import read_bytes
from auditor.errors import AuditorError, DocumentError
from auditor.frozen import frozen
from auditor.hashing import sha256_hex

if TYPE_CHECKING:
    from auditor.places import Place
    from auditor.result import Audit
    from auditor.yamlfile import Document

CHANGED = "changed after it was audited"


@frozen
class RuleFile:
    """A YAML file of rules."""

    path: str
    content: bytes | None  # None: `note` says why
    note: str = ""
    shipped: bool = False  # one of the auditor's own; `path` is then below the auditor's folder

    @property
    def sha256(self) -> str | None:
        return None if self.content is None else sha256_hex(self.content)

    def line(self, place: Place) -> int:
        """The line of a value, or of the nearest one around it; 1 where the file cannot be read any more."""
        return 1 if self._document is None else self._document.line(place)

    def columns(self, line: int) -> tuple[int, int]:
        """From which column to before which the line has text, counted from 1."""
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        return len(text) - len(text.lstrip()) + 1, len(text) + 1

    @cached_property
    def _lines(self) -> list[str]:
        return (self.content or b"").decode("utf-8", "replace").splitlines()

    @cached_property
    def _document(self) -> Document | None:
        if self.content is None:
            return None
        from auditor.yamlfile import parse

        document = parse(self.content, self.path)
        return document if document.whole else None


def pack_files(report: Audit) -> dict[str, RuleFile]:
    """The file of each pack that the audit used, by the pack's id."""
    from auditor import rulepack

    wanted = {enabled.id: enabled.pack for enabled in report.enabled_packs}
    chosen = report.request.packs if report.request else ()
    named = [name for name in chosen if "/" in name or os.path.splitext(name)[1]]
    found: dict[str, RuleFile] = {}
    shipped = rulepack.shipped_files()
    for path in (*named, *shipped):
        try:
            pack = rulepack.load_pack(path)
        except AuditorError:
            continue  # not one of ours, or changed for the worse; told below
        if wanted.get(pack.id) == pack and pack.id not in found:
            ours = path in shipped
            shown = f"rules/{os.path.basename(path)}" if ours else path
            found[pack.id] = RuleFile(shown, read_bytes(path, DocumentError), shipped=ours)
    return {id: found.get(id, RuleFile(_guess(id, named), None, CHANGED)) for id in wanted}


def _guess(id: str, named: list[str]) -> str:
    """The file that a pack came from, where no file holds it any more."""
    return next((name for name in named if os.path.splitext(os.path.basename(name))[0] == id), f"{id}.yaml")


def site_file(report: Audit) -> RuleFile | None:
    """The file of the audit's site; None where there was none."""
    if report.request is None or report.request.site is None:
        return None
    path = report.request.site
    try:
        content = read_bytes(path, DocumentError)
    except DocumentError as error:
        return RuleFile(path, None, str(error))
    return RuleFile(path, content)
