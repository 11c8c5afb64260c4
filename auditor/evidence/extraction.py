"""The packets of findings as a capture of their own.

The engine copies them; here it is decided which. Afterwards the copy is audited, and what no longer
shows in it is said.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from auditor.batches import TYPES
from auditor.errors import AuditorError, CaptureError
from auditor.evidence.choice import chosen_findings
from auditor.flow import Flows
from auditor.rulepack import enable, shipped_packs
from auditor.site import Site, load_site
from auditor.sources import STANDARD_INPUT, resolve, url

if TYPE_CHECKING:
    from auditor.evidence.anonymity import Anonymity
    from auditor.reporttypes import Document, FindingEntry
    from auditor.result import Audit
    from auditor.rulepack import EnabledPack
    from auditor.scan import ScanOptions

ANCHOR = "auditor: not captured; marks when the capture began, which some checks ask"
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


def extract(
    captures: Sequence[str],
    output: str | Path,
    *,
    report: Document | None = None,
    findings: Sequence[str] = (),
    checks: Sequence[str] = (),
    packs: Sequence[str] = (),
    site: str | Path | Site | None = None,
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
    `anonymise`: other addresses (see `auditor.evidence.anonymity`), payload cut away unless `keep_payload`.

    Raises: AuditorError where nothing is found to copy, or what is found is not in the captures.
    """
    paths = resolve(captures)
    if STANDARD_INPUT in paths:
        raise CaptureError("packets are copied from files: standard input cannot be read again")
    remote = next((path for path in paths if url.accepts(path)), None)
    if remote is not None:
        raise CaptureError(f"{remote}: packets are copied from files; expected the capture, downloaded")
    chosen_packs = list(packs) or _packs_of(report)
    place = site if site is None or isinstance(site, Site) else load_site(site, chosen_packs)
    if report is None:
        from auditor.pipeline import audit

        report = audit(paths, packs=chosen_packs, site=place).to_dict()  # type: ignore[assignment]
        assert report is not None
    chosen = chosen_findings(report["findings"], findings, checks)
    if not chosen:
        raise AuditorError("there are no findings, so there is nothing to copy")
    enabled = enable(place, chosen_packs)
    hidden = None
    if anonymise:
        from auditor.evidence.anonymity import anonymity

        hidden = anonymity(enabled, place or Site(), keep=keep, key=key)
        headers_only = headers_only or not keep_payload
    copied, context = _copy(paths, str(output), report, chosen, enabled, place, hidden, evidence_only, headers_only)
    if not copied["frames"]:
        with suppress(OSError):
            os.unlink(output)
        raise AuditorError(
            "these findings name no packets", help="those of capture-incomplete speak of captures as such"
        )
    from auditor.pipeline import audit

    again = audit(str(output), packs=chosen_packs, site=place)
    return Extraction(
        findings=chosen,
        context=context,
        frames=copied["frames"],
        bytes=copied["bytes"],
        comments=copied["comments"],
        blanked=copied["blanked"],
        audit=again,
        lost=_lost(chosen, again, by_id=not anonymise),
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
    return text if nameless else f"{text}; {finding['message']}"


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


def _copy(
    paths: list[str],
    output: str,
    report: Document,
    findings: list[FindingEntry],
    packs: Sequence[EnabledPack],
    site: Site | None,
    hidden: Anonymity | None,
    evidence_only: bool,
    headers_only: bool,
) -> tuple[dict[str, int], int]:
    """Have the engine copy; its numbers, and flows of context. A failure leaves no file."""
    from auditor import _engine
    from auditor.evidence.selection import Selection, evidence_frames, select

    comments = [comment_of(finding, packs, nameless=hidden is not None) for finding in findings]
    frames = evidence_frames(findings, paths, comments)
    if evidence_only:
        selection = Selection([], frames, 0)
    else:
        selection = select(findings, report, flows_of_clients(paths, findings, packs, site), frames)
    beside = f"{output}.{os.getpid()}.part"
    try:
        copied = _engine.extract(
            paths,
            beside,
            flows=selection.flows,
            frames=selection.frames,
            anchor=None if evidence_only else ANCHOR,
            headers_only=headers_only,
            anonymise=hidden,
            comment=_words(findings, hidden is not None, headers_only),
            program=f"auditor {_engine.__version__}",
        )
        os.replace(beside, output)
    finally:
        with suppress(OSError):
            os.unlink(beside)
    return copied, selection.context


def flows_of_clients(
    paths: Sequence[str], findings: Sequence[FindingEntry], packs: Sequence[EnabledPack] = (), site: Site | None = None
) -> Flows:
    """The flow table's rows of the findings' clients.

    A flow that an audit met late, at an answer about a vendor's name, begins there and has an id of its own: where the
    findings have such, they are read as the audit did, by these packs at this site.
    """
    from auditor.evidence.selection import clients, lacking
    from auditor.scan import ScanOptions, audit_options

    rows = _rows(paths, ScanOptions(networks=clients(findings)))
    if len(lacking(rows, findings)) and packs:
        late = _rows(paths, audit_options(packs, site or Site()))
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
