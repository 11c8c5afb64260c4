"""Audits for the tests of reports: real ones, and ones whose every text a stranger chose."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import auditor
from auditor import reports
from auditor.finding import AppliedWaiver, Finding
from auditor.result import Audit

SITE = """
packs:
  drbackup: {}
backup_hosts: [10.1.2.3]
waivers:
  - check: restore-observed
    reason: a test
    expires: 2027-01-31
  - {check: udp-use, vendor: drbackup, reason: "the <b>old</b> printer", owner: ops, ticket: T-1, expires: 2099-01-31}
  - {check: icmp-use, reason: over, expires: 2020-01-31}
"""


def written(format: str, report: Audit) -> bytes:
    """The report in a format, as bytes."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8", newline="")
    reports.write(format, report, stream)
    stream.flush()
    return raw.getvalue()


def hostile(report: Audit, text: str) -> Audit:
    """The same audit where each text that comes from captures, rules or sites contains `text`."""
    captures = tuple(
        {
            **capture,
            "path": f"{text}.pcap",
            "complete": False,
            "problems": [
                {"name": text, "count": 2, "frame": 1, "offset": 0, "message": text, "hides_traffic": True},
            ],
        }
        for capture in report.captures
    )
    enabled = tuple(replace(one, pack=replace(one.pack, title=text)) for one in report.enabled_packs)
    return replace(
        report,
        health=replace(report.health, captures=captures, complete=False),
        enabled_packs=enabled,
        judged=replace(
            report.judged,
            findings=[_hostile(finding, text) for finding in report.judged.findings],
            coverage=[replace(entry, evidence=text) for entry in report.judged.coverage],
            sessions=[replace(session, servers=(text,), outcome=text) for session in report.judged.sessions],
        ),
    )


def _hostile(finding: Finding, text: str) -> Finding:
    applied = finding.waiver
    if applied is not None:
        applied = AppliedWaiver(replace(applied.waiver, reason=text, owner=text, ticket=text), applied.expired)
    return replace(
        finding,
        title=text,
        message=text,
        server_ip=text,
        via=text,
        display_filter=text,
        remediation=text,
        evidence=tuple(replace(item, capture=text) for item in finding.evidence),
        waiver=applied,
    )


def enormous(capture: Path, findings: int, flows: int) -> Audit:
    """An audit as of a great capture: the sample's, with its flows and findings many times over."""
    report = auditor.audit(capture)
    rows = report.judged.rows
    assert rows is not None
    chosen = np.resize(np.arange(len(rows.flows)), flows)
    table = rows.flows[chosen]
    shift = np.arange(flows, dtype=np.int64) * 1_000_000  # a flow each millisecond
    spread = np.arange(flows, dtype=np.uint64) % np.uint64(60_000)
    table = table.with_columns(
        start_ns=table.start_ns + shift,
        end_ns=table.end_ns + shift,
        initiator_lo=table.initiator_lo + spread,
    )
    models = report.judged.findings
    return replace(
        report,
        judged=replace(
            report.judged,
            rows=rows._replace(flows=table),
            findings=[_numbered(models[at * len(models) // findings], at) for at in range(findings)],
        ),
    )


def _numbered(finding: Finding, at: int) -> Finding:
    last: Any = finding.last_ns or 0
    client = f"10.{at >> 16 & 255}.{at >> 8 & 255}.{at & 255}"
    return replace(
        finding,
        id=f"{at:016x}",
        client_ip=client,
        message=finding.message.replace("10.1.2.3", client),
        last_ns=last + at * 1_000_000_000,
    )
