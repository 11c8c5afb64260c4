"""The report for people: how sound the captures are, then verdict, findings, coverage, traffic. Times are UTC."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TextIO, cast

from auditor.document import outline
from auditor.layout import Page, plural, size
from auditor.terminal import BLUE, BOLD, DIM, GREEN, RED, YELLOW, screen_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.reporttypes import (
        CaptureEntry,
        CoverageEntry,
        Document,
        FindingEntry,
        SessionEntry,
        TrafficRow,
        TranslationEntry,
    )
    from auditor.result import Audit
    from auditor.terminal import Screen

SUFFIXES = (".txt",)
SESSIONS_SHOWN = 20
TRANSLATIONS_SHOWN = 20
FINDINGS_SHOWN = 200  # more is for --format json or csv
STATUSES = ("met", "violated", "inconclusive", "not exercised", "not checkable")
VERDICT_CODES = {"clean": (BOLD, GREEN), "violations": (BOLD, RED), "inconclusive": (BOLD, YELLOW)}
SEVERITY_CODES = {"critical": (BOLD, RED), "high": (RED,), "medium": (YELLOW,), "low": (BLUE,), "info": (DIM,)}
SEVERITIES = tuple(SEVERITY_CODES)


def write(report: Audit, stream: TextIO) -> None:
    """Write the report as wide as the stream's terminal."""
    stream.write(render(outline(report), report.reasons, screen_of(stream)))


def render(doc: Document, reasons: Sequence[str], screen: Screen) -> str:
    """The whole text. `reasons`: why the verdict is what it is, one sentence each."""
    page = Page(screen)
    _captures(page, doc["captures"])
    _verdict(page, doc, reasons)
    _findings(page, doc["findings"], several=len(doc["captures"]) > 1)
    _coverage(page, doc["coverage"])
    _traffic(page, doc)
    _sessions(page, doc["sessions"])
    _translations(page, doc)
    return str(page)


def _verdict(page: Page, doc: Document, reasons: Sequence[str]) -> None:
    page.lines.append("")
    page.text(doc["verdict"].upper(), *VERDICT_CODES[doc["verdict"]], indent=0)
    for reason in [*reasons, *silence(doc)]:
        page.text(reason, indent=2)
    packs = ", ".join(f"{pack['id']} {pack['version']}" for pack in doc["packs"])
    page.text(f"audited against {packs or 'no rule pack'}", indent=2)


def silence(doc: Document) -> list[str]:
    """That nothing was found says little where no vendor's traffic was captured."""
    quiet = ("other", "inbound", "unpublished")
    seen = any(row["packets"] for name, row in amounts(doc) if name not in quiet)
    if doc["findings"]:
        return []
    return ["nothing was found" + ("" if seen else ": no traffic with any of these vendors was captured")]


def amounts(doc: Document) -> list[tuple[str, TrafficRow]]:
    """Traffic classes and their amounts, in order."""
    return list(cast("dict[str, TrafficRow]", doc["traffic"]).items())


def _captures(page: Page, captures: list[CaptureEntry]) -> None:
    page.lines.append(page.screen.paint(f"Capture health: {_health(captures)}", BOLD))
    for capture in captures:
        kind = ", ".join([capture["format"], *capture["link_types"]])
        page.text(f"{capture['path']}: {kind}, {plural(capture['packets'], 'packet')}, {size(capture['bytes'])}")
        state = "read whole" if capture["complete"] else "NOT COMPLETE: part of the traffic is missing"
        page.text(
            f"{span(capture['start'], capture['end'])}; {state}", *(() if capture["complete"] else (YELLOW,)), indent=4
        )
        for problem in capture["problems"]:
            times = f" ({problem['count']:,} times)" if problem["count"] > 1 else ""
            first = f", first at frame {problem['frame']}" if problem["frame"] else ""
            page.text(f"{problem['name']}{times}: {problem['message']}{first}", indent=4)


def _health(captures: list[CaptureEntry]) -> str:
    """Over all captures, in a few words."""
    incomplete = sum(not capture["complete"] for capture in captures)
    if incomplete:
        return "incomplete" if len(captures) == 1 else f"{incomplete} of {len(captures)} captures incomplete"
    noted = sum(len(capture["problems"]) for capture in captures)
    return f"complete, {plural(noted, 'oddity', 'oddities')}" if noted else "sound"


def _findings(page: Page, findings: list[FindingEntry], *, several: bool) -> None:
    page.heading(f"Findings: {_tally(findings)}")
    for finding in findings[:FINDINGS_SHOWN]:
        _finding(page, finding, several=several)
    if len(findings) > FINDINGS_SHOWN:
        page.text(f"… and {len(findings) - FINDINGS_SHOWN:,} more; --format json or csv shows all of them")


def _tally(findings: list[FindingEntry]) -> str:
    if not findings:
        return "none"
    counts: Counter[str] = Counter(finding["severity"] for finding in findings)
    return ", ".join(f"{counts[severity]:,} {severity}" for severity in SEVERITIES if counts[severity])


def _finding(page: Page, finding: FindingEntry, *, several: bool) -> None:
    waiver = finding["waiver"]
    marks: list[str] = [finding["outcome"]]
    marks += ["inferred"] if finding["certainty"] == "inferred" else []
    marks += [] if waiver is None else ["waiver expired" if waiver["expired"] else "waived"]
    severity = page.screen.paint(finding["severity"].ljust(len("critical")), *SEVERITY_CODES[finding["severity"]])
    page.lines.append(f"  {severity}  {page.screen.paint(finding['check'], BOLD)} ({', '.join(marks)})")
    page.text(" · ".join(_facts(finding, several)), indent=4)
    page.text(finding["message"], indent=4)


def _facts(finding: FindingEntry, several: bool) -> list[str]:
    facts = []
    if finding["client_ip"] or finding["server_ip"]:
        facts.append(f"{ends(finding)}/{finding['protocol']}")
    if finding["vendor"]:
        facts.append(finding["vendor"] + (f" {finding['statement']}" if finding["statement"] else ""))
    facts.append("once" if finding["count"] == 1 else f"{finding['count']:,} times")
    first = next(iter(finding["evidence"]), None)
    if first is not None and first["frame"]:
        facts.append(f"first at frame {first['frame']}" + (f" of {first['capture']}" if several else ""))
    return facts


def ends(finding: FindingEntry) -> str:
    """Who spoke to whom, the arrow from the one that began: `10.0.0.5 → 66.241.7.9:21`."""
    client = finding["client_ip"] or "?"
    server = finding["server_ip"] or "?"
    if finding["direction"] == "inbound":
        return f"{server} → {_with_port(client, finding['service_port'])}"
    return f"{client} → {_with_port(server, finding['server_port'] or finding['service_port'])}"


def _with_port(address: str, port: int | None) -> str:
    if port is None:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _coverage(page: Page, coverage: list[CoverageEntry]) -> None:
    if not coverage:
        return
    page.heading("Published statements")
    rows = []
    for vendor in sorted({entry["vendor"] for entry in coverage}):
        counts: Counter[str] = Counter(entry["status"] for entry in coverage if entry["vendor"] == vendor)
        rows.append([vendor, ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status])])
    page.table(rows)
    notable = [entry for entry in coverage if entry["status"] in ("violated", "inconclusive")]
    for entry in notable:
        page.text(f"{entry['vendor']} {entry['statement']} {entry['status']}: {entry['evidence']}", hang=4)


def _traffic(page: Page, doc: Document) -> None:
    page.heading("Traffic")
    rows = [["class", "flows", "packets", "bytes"]]
    for name, row in amounts(doc):
        if row["packets"]:
            rows.append([name, f"{row['flows']:,}", f"{row['packets']:,}", size(row["bytes"])])
    if len(rows) == 1:
        page.text("none")
    else:
        page.table(rows, right=(1, 2, 3))


def _sessions(page: Page, sessions: list[SessionEntry]) -> None:
    if not sessions:
        return
    page.heading("Sessions")
    for session in sessions[:SESSIONS_SHOWN]:
        servers = ", ".join(_server(session, server) for server in session["servers"])
        facts = [
            f"{size(session['bytes_up'])} up",
            f"{size(session['bytes_down'])} down",
            *([plural(session["files"], "file")] if session["files"] else []),
            session["outcome"],
        ]
        page.text(
            f"{clock(session['start'])} {session['vendor']} {session['kind']}: {session['client_ip']} → {servers}, "
            + ", ".join(facts)
        )
    if len(sessions) > SESSIONS_SHOWN:
        page.text(f"… and {len(sessions) - SESSIONS_SHOWN:,} more; --format json shows all of them")


def _server(session: SessionEntry, server: str) -> str:
    """The server, and which of the client's pair it is; one that is known alone may be either."""
    if session["alternate"] is None:
        return server
    part = {session["primary"]: " (primary)", session["alternate"]: " (alternate)"}
    return server + part.get(server, "")


def _translations(page: Page, doc: Document) -> None:
    if "vantages" not in doc:
        return
    page.heading("Through the firewall")
    seen = doc["vantages"]
    page.text(
        f"{plural(seen['paired'], 'flow')} on both sides, {seen['only_inside']:,} only inside, "
        f"{seen['only_outside']:,} only outside; the outside's clock differs by {seen['clock_offset']:+.3f} s"
    )
    entries = doc["translations"]
    for entry in entries[:TRANSLATIONS_SHOWN]:
        near, far = translated(entry)
        shown = near if near == far else f"{near} outside is {far}"
        page.text(f"{shown}/{entry['protocol']}, {plural(entry['flows'], 'flow')}", hang=4)
    if len(entries) > TRANSLATIONS_SHOWN:
        page.text(f"… and {len(entries) - TRANSLATIONS_SHOWN:,} more; --format json shows all of them")


def translated(entry: TranslationEntry) -> tuple[str, str]:
    """Who spoke to whom, as the inside sees it and as the outside does."""
    inbound = entry["direction"] == "inbound"
    near, far = ((entry["client_ip"], entry["server_ip"]), (entry["outside_client_ip"], entry["outside_server_ip"]))
    first, second = (
        f"{server} → {_with_port(client, port)}" if inbound else f"{client} → {_with_port(server, port)}"
        for (client, server), port in (
            (near, entry["service_port"]),
            (far, entry["outside_service_port"]),
        )
    )
    return first, second


def clock(time: str) -> str:
    """An ISO time for people, to the second."""
    return time[:19].replace("T", " ")


def span(start: str | None, end: str | None) -> str:
    """The time between two ISO times; the day once if it is the same."""
    if start is None or end is None:
        return "no packets"
    last = clock(end)[11:] if end[:10] == start[:10] else clock(end)
    return f"{clock(start)} to {last} UTC"
