"""The packets of findings as a capture of their own.

The engine copies them; here it is decided which. Afterwards the copy is audited, and what no longer
shows in it is said.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from auditor.batches import TYPES
from auditor.errors import AuditorError
from auditor.evidence.choice import chosen_findings
from auditor.evidence.selection import Frame, Selection, clients, complete, evidence_frames, lacking, select
from auditor.evidence.sides import check_vantages, select_on_both, sides_of
from auditor.flow import Flows
from auditor.rulepack import enable, shipped_packs
from auditor.scan import ScanOptions, audit_options
from auditor.site import Site, load_site
from auditor.text import printable

if TYPE_CHECKING:
    from datetime import date

    from auditor.evidence.sides import Side
    from auditor.reporttypes import Document, FindingEntry
    from auditor.result import Audit
    from auditor.rulepack import EnabledPack

ANCHOR = "auditor: not captured; marks when the capture began, which some checks ask"
END_ANCHOR = "auditor: not captured; marks when the capture ended, which some checks ask"
# What stays the same of a finding when its client has another address.
SAME = ("check", "severity", "vendor", "statement", "direction", "outcome", "service_port", "protocol", "count")


class Extraction(NamedTuple):
    """What was copied, and what an audit of the copy says of it."""

    findings: list[FindingEntry]  # those that were asked for
    context: int  # flows that are there only because the judgement needs them
    frames: int
    bytes: int
    comments: int
    blanked: int  # frames of which nothing was kept
    audit: Audit  # of the copy
    lost: list[FindingEntry]  # findings that the copy no longer shows
    files: list[str]  # with two vantages, that of the inside and that of the outside


def extract(
    captures: Sequence[str],
    output: str | Path,
    *,
    report: Document | None = None,
    findings: Sequence[str] = (),
    checks: Sequence[str] = (),
    packs: Sequence[str] = (),
    site: str | Path | Site | None = None,
    inside: Sequence[str] = (),
    outside: Sequence[str] = (),
    processes: str | Path | None = None,
    as_of: date | None = None,
    validate_checksums: bool = False,
    keep_duplicates: bool = False,
    vlan: str = "auto",
    evidence_only: bool = False,
    headers_only: bool = False,
    anonymise: bool = False,
    keep_payload: bool = False,
    keep: Sequence[str] = (),
    key: bytes = b"",
) -> Extraction:
    """Copy the packets of findings from `captures` into the pcapng `output`.

    `report`: that of an earlier audit; None: the captures are audited now. `findings` and `checks` choose among its
    findings, none: all. `evidence_only`: the frames that findings name, instead of whole flows with their context.
    `inside` and `outside`: instead of `captures`, those of both sides of a firewall; each is copied to a file of its
    own, of which `output` gives place and name (see `auditor.evidence.sides`). `processes`, `as_of`,
    `validate_checksums`, `keep_duplicates` and `vlan`: as for an audit; a report has to be read as it was made.
    `anonymise`: other addresses (see `auditor.evidence.anonymity`), payload cut away unless `keep_payload`.

    Raises: AuditorError where nothing is found to copy, or what is found is not in the captures.
    """
    sides = sides_of(captures, inside, outside, str(output))
    chosen_packs = list(packs) or _packs_of(report)
    place = site if site is None or isinstance(site, Site) else load_site(site, chosen_packs)
    rules: dict[str, Any] = {
        "packs": chosen_packs,
        "site": place,
        "processes": processes,
        "as_of": as_of,
        "validate_checksums": validate_checksums,
        "keep_duplicates": keep_duplicates,
        "vlan": vlan,
    }
    if report is None:
        report = _audit([side.paths for side in sides], rules).to_dict()  # type: ignore[assignment]
        assert report is not None
    check_vantages(report, sides)
    chosen = chosen_findings(report["findings"], findings, checks)
    if not chosen:
        raise AuditorError("there are no findings, so there is nothing to copy")
    enabled = enable(place, chosen_packs)
    hidden = None
    if anonymise:
        from auditor.evidence.anonymity import anonymity

        hidden = anonymity(enabled, place or Site(), keep=keep, key=key)
        headers_only = headers_only or not keep_payload
    comments = [comment_of(finding, enabled, nameless=anonymise) for finding in chosen]
    frames = evidence_frames(chosen, [path for side in sides for path in side.paths], comments)
    reading = ScanOptions(validate_checksums=validate_checksums, keep_duplicates=keep_duplicates, vlan=vlan)
    if evidence_only:
        if len(sides) == 1:  # frames are numbers, which other captures have as well
            complete(chosen, [flows_of_clients(sides[0].paths, chosen, enabled, place, reading)])
        selections = [Selection([], frames, 0) for _ in sides]
    else:
        selections = _selections(sides, report, chosen, frames, enabled, place, reading)
    how = {
        "anchor": None if evidence_only else ANCHOR,
        "end_anchor": None if evidence_only or len(sides) == 1 else END_ANCHOR,
        "headers_only": headers_only,
        "anonymise": hidden,
        "comment": _words(chosen, anonymise, headers_only),
    }
    copied = _copy(sides, selections, how)
    again = _audit([[side.output] for side in sides], rules)
    return Extraction(
        findings=chosen,
        context=selections[0].context,
        frames=copied["frames"],
        bytes=copied["bytes"],
        comments=copied["comments"],
        blanked=copied["blanked"],
        audit=again,
        lost=_lost(chosen, again, by_id=not anonymise),
        files=[side.output for side in sides],
    )


def renamed(audit: Audit, path: str, name: str) -> Audit:
    """The audit with one of its captures under another name."""
    captures = tuple({**one, "path": name if one["path"] == path else one["path"]} for one in audit.health.captures)
    named = [
        replace(
            finding,
            evidence=tuple(
                replace(item, capture=name if item.capture == path else item.capture) for item in finding.evidence
            ),
        )
        for finding in audit.judged.findings
    ]
    health, request = replace(audit.health, captures=captures), audit.request
    if request is not None:
        inputs = tuple(file._replace(shown=name) if file.path == path else file for file in request.inputs)
        request = request._replace(inputs=inputs)
    return replace(audit, health=health, request=request, judged=replace(audit.judged, findings=named))


def comment_of(finding: FindingEntry, packs: Sequence[EnabledPack], *, nameless: bool = False) -> str:
    """What a frame's comment says of a finding: which it is, what it breaks. `nameless`: no address, nor an id made of
    some."""
    number = "" if nameless else f" {finding['id']}"
    text = f"auditor: {finding['severity']} {finding['check']}{number}: {finding['title']}"
    published = statement_text(finding, packs)
    if published:
        text += f"; {published}"
    return printable(text if nameless else f"{text}; {finding['message']}")


def statement_text(finding: FindingEntry, packs: Sequence[EnabledPack]) -> str:
    """Vendor, statement, and what it says; empty where the finding rests on none."""
    if not finding["statement"]:
        return ""
    for enabled in packs:
        if enabled.id in (finding["vendor"] or "").split("|"):
            statement = enabled.pack.statement(finding["statement"])
            if statement is not None:
                return f"{enabled.id} {statement.id}: {statement.what}"
    return f"{finding['vendor']} {finding['statement']}"


def _audit(paths: Sequence[Sequence[str]], rules: Mapping[str, Any]) -> Audit:
    """The audit of captures, or of those of two sides, with these options."""
    from auditor.pipeline import audit

    if len(paths) == 1:
        return audit(paths[0], **rules)
    return audit(inside=paths[0], outside=paths[1], **rules)


def _selections(
    sides: Sequence[Side],
    report: Document,
    findings: list[FindingEntry],
    frames: list[Frame],
    packs: Sequence[EnabledPack],
    site: Site | None,
    reading: ScanOptions,
) -> list[Selection]:
    """The flows to copy of each side, beside the frames."""
    if len(sides) == 1:
        rows = flows_of_clients(sides[0].paths, findings, packs, site, reading)
        return [select(findings, report, rows, frames)]
    near, far = sides
    return select_on_both(findings, report, near, far, frames, reading)


def _copy(sides: Sequence[Side], selections: Sequence[Selection], how: dict[str, Any]) -> Counter[str]:
    """Have the engine copy; its numbers. A failure leaves no file, and what was there before."""
    from auditor import _engine

    copied: Counter[str] = Counter()
    beside = [f"{side.output}.{os.getpid()}.part" for side in sides]
    program = f"auditor {_engine.__version__}"
    try:
        for side, part, selection in zip(sides, beside, selections, strict=True):
            copied.update(
                _engine.extract(
                    side.paths, part, flows=selection.flows, frames=selection.frames, program=program, **how
                )
            )
        if not copied["frames"]:
            raise AuditorError(
                "these findings name no packets", help="those of capture-incomplete speak of captures as such"
            )
        for side, part in zip(sides, beside, strict=True):
            os.replace(part, side.output)
    finally:
        for part in beside:
            with suppress(OSError):
                os.unlink(part)
    return copied


def flows_of_clients(
    paths: Sequence[str],
    findings: Sequence[FindingEntry],
    packs: Sequence[EnabledPack] = (),
    site: Site | None = None,
    reading: ScanOptions = ScanOptions(),  # noqa: B008  # a record that nobody changes
) -> Flows:
    """The flow table's rows of the findings' clients.

    A flow that an audit met late, at an answer about a vendor's name, begins there and has an id of its own: where the
    findings have such, they are read as the audit did, by these packs at this site.
    """
    rows = _rows(paths, reading._replace(networks=clients(findings)))
    if len(lacking(rows, findings)) and packs:
        late = _rows(paths, audit_options(packs, site or Site(), reading=reading))
        late = late[np.isin(late.flow_id, lacking(rows, findings))]
        rows = Flows(**{name: np.concatenate([getattr(rows, name), getattr(late, name)]) for name in TYPES})
    return rows


def _rows(paths: Sequence[str], options: ScanOptions) -> Flows:
    from auditor.judging import joined
    from auditor.scan import open_scan

    scan = open_scan(paths, options)
    batches = []
    while (batch := scan.next_batch()) is not None:
        if batch.wanted:
            batches.append(batch.columns())
    return joined(batches)


def _words(findings: list[FindingEntry], nameless: bool, headers_only: bool) -> str:
    counts = Counter(finding["check"] for finding in findings)
    text = "packets of findings: " + ", ".join(f"{check} ({count})" for check, count in sorted(counts.items()))
    text += "; addresses anonymised" if nameless else ""
    return text + ("; cut to headers" if headers_only else "")


def _packs_of(report: Document | None) -> list[str]:
    """The packs that the report was made with, as far as they are shipped."""
    if report is None:
        return []
    shipped = {pack.id for pack in shipped_packs()}
    return [pack["id"] for pack in report["packs"] if pack["id"] in shipped]


def _lost(findings: list[FindingEntry], again: Audit, *, by_id: bool) -> list[FindingEntry]:
    """Findings about traffic that the audit of the copy lacks; without ids, by what does not depend on addresses.

    What a finding says of a capture as such, that it was cut or lost packets, is not expected of a copy.
    """
    findings = [finding for finding in findings if finding["flow_ids"]]
    entries = again.to_dict()["findings"]
    if by_id:
        found = {(entry["id"], entry["severity"]) for entry in entries}
        return [finding for finding in findings if (finding["id"], finding["severity"]) not in found]
    left = Counter(tuple(entry[key] for key in SAME) for entry in entries)
    lost = []
    for finding in findings:
        key = tuple(finding[key] for key in SAME)  # type: ignore[literal-required]
        left[key] -= 1
        if left[key] < 0:
            lost.append(finding)
    return lost
