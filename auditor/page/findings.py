"""The page's findings: the worst in full, then one line each, then numbers."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Final

from auditor.page.markup import Content, Markup, element, facts, html, note, section, table
from auditor.reports.table import SEVERITIES, clock, ends

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.reporttypes import Document, EvidenceEntry, FindingEntry
    from auditor.result import Audit

IN_FULL: Final = 200
"""Findings with all that is known of them: some 60 sheets of paper, more than anybody reads."""
IN_LINES: Final = 2000
"""Findings after those with a line each, so that the page stays below 2 MB."""
EVIDENCE_SHOWN: Final = 5
FILTER_SHOWN: Final = 600
"""Characters of a display filter; longer ones are in the JSON report."""
SIGNS: Final = {"critical": "✖", "high": "▲", "medium": "◆", "low": "●", "info": "○"}
"""The same shapes as in the plots: colour is never alone."""


def findings(report: Audit, doc: Document) -> Markup:
    """Findings, worst first."""
    entries = doc["findings"]
    if not entries:
        return section("findings", "Findings", element("p", "None."))
    published = _published(report)
    several = len(doc["captures"]) > 1
    full, lines, rest = entries[:IN_FULL], entries[IN_FULL : IN_FULL + IN_LINES], entries[IN_FULL + IN_LINES :]
    return section(
        "findings",
        "Findings",
        _tally(entries),
        [_finding(entry, published, several=several) for entry in full],
        _lines(lines) if lines else None,
        _rest(rest) if rest else None,
        [
            note(f"Further {more.count:,} findings of {more.check}, at worst {more.worst.word}, were not listed.")
            for more in report.judged.unlisted
        ],
    )


def tag(severity: str, words: str = "") -> Markup:
    """A severity: its shape, its word, its colour."""
    return element("span", f"{SIGNS[severity]} {words or severity}", class_=f"tag {severity}")


def _tally(entries: Sequence[FindingEntry]) -> Markup:
    counts = Counter(entry["severity"] for entry in entries)
    waived = sum(_waived(entry) for entry in entries)
    tags = [element("li", tag(word, f"{counts[word]:,} {word}")) for word in SEVERITIES if counts[word]]  # type: ignore[index]
    if waived:
        tags.append(element("li", f"{waived:,} of them waived by the site", class_="note"))
    return element("ul", *tags, class_="tally")


def _published(report: Audit) -> dict[tuple[str, str], tuple[str, str]]:
    """What each vendor's statement says, and where it stands."""
    return {
        (enabled.id, statement.id): (statement.what, f"{enabled.pack.source.document}: {statement.section}")
        for enabled in report.enabled_packs
        for statement in enabled.pack.statements
    }


def _waived(entry: FindingEntry) -> bool:
    return entry["waiver"] is not None and not entry["waiver"]["expired"]


def _finding(entry: FindingEntry, published: dict[tuple[str, str], tuple[str, str]], *, several: bool) -> Markup:
    severity = entry["severity"]
    return element(
        "article",
        element("h3", tag(severity), entry["title"]),
        element("p", html(_marks(entry)), class_="marks"),
        element("p", entry["message"], class_="message"),
        facts(_facts(entry, published, several=several)),
        class_=f"finding {severity}{' waived' if _waived(entry) else ''}",
        id=f"finding-{entry['id']}",
    )


def _marks(entry: FindingEntry) -> Iterator[Content]:
    yield element("code", entry["check"])
    yield f" · {entry['outcome']}"
    yield f" · {'once' if entry['count'] == 1 else format(entry['count'], ',') + ' times'}"
    if entry["certainty"] == "inferred":
        yield " · inferred"
    yield " · "
    yield element("code", entry["id"])


def _facts(
    entry: FindingEntry, published: dict[tuple[str, str], tuple[str, str]], *, several: bool
) -> Iterator[tuple[str, Content]]:
    if entry["client_ip"] or entry["server_ip"]:
        via = f" via {entry['via']}" if entry["via"] else ""
        yield "Traffic", [element("code", f"{ends(entry)}/{entry['protocol']}"), via]
    yield "Vendor", (entry["vendor"] or "").replace("|", " or ")
    for vendor in (entry["vendor"] or "").split("|"):
        if (vendor, entry["statement"] or "") in published:
            what, source = published[vendor, entry["statement"] or ""]
            yield "Published", [what, note(f"{entry['statement']} · {source}")]
            break
    yield "Seen", _seen(entry)
    yield "Evidence", _evidence(entry["evidence"], several=several)
    yield "In Wireshark", _filter(entry["display_filter"])
    yield "What to do", entry["remediation"]
    yield "Waiver", _waiver(entry)


def _seen(entry: FindingEntry) -> str:
    first, last = entry["first_seen"], entry["last_seen"]
    if first is None:
        return ""
    return f"{clock(first)} UTC" + (f" to {clock(last)} UTC" if last and clock(last) != clock(first) else "")


def _evidence(entries: Sequence[EvidenceEntry], *, several: bool) -> Markup:
    lines = []
    for entry in islice(entries, EVIDENCE_SHOWN):
        where = f"frame {entry['frame']}" if entry["frame"] else "the capture as a whole"
        of = f" of {entry['capture']}" if several or not entry["frame"] else ""
        when = f", {clock(entry['timestamp'])}{entry['timestamp'][19:26]}" if entry["timestamp"] else ""
        lines.append(element("li", f"{where}{of}{when}"))
    if len(entries) > EVIDENCE_SHOWN:
        lines.append(element("li", f"and {len(entries) - EVIDENCE_SHOWN:,} more", class_="note"))
    return element("ul", *lines) if lines else Markup()


def _filter(text: str) -> Content:
    if len(text) > FILTER_SHOWN:
        return note(f"The display filter has {len(text):,} characters; it stands in the JSON report.")
    return element("code", text) if text else None


def _waiver(entry: FindingEntry) -> str:
    waiver = entry["waiver"]
    if waiver is None:
        return ""
    words = [f"{'expired' if waiver['expired'] else 'until'} {waiver['expires']}", waiver["reason"]]
    words += [waiver["owner"], waiver["ticket"]]
    return "; ".join(str(word) for word in words if word)


def _lines(entries: Sequence[FindingEntry]) -> Content:
    rows: list[list[Content]] = [
        [
            tag(entry["severity"]),
            element("code", entry["check"]),
            (entry["vendor"] or "").replace("|", " or "),
            element("code", f"{ends(entry)}/{entry['protocol']}" if entry["protocol"] else ""),
            entry["count"],
            next((evidence["frame"] for evidence in entry["evidence"] if evidence["frame"]), None),
        ]
        for entry in entries
    ]
    header = ["severity", "check", "vendor", "traffic", "count", "first frame"]
    name = f"{len(entries):,} further findings"
    return [element("h3", name), table(name, header, rows, right=(4, 5))]


def _rest(entries: Sequence[FindingEntry]) -> Content:
    counts = Counter((SEVERITIES.index(entry["severity"]), entry["check"]) for entry in entries)
    rows: list[list[Content]] = [
        [tag(SEVERITIES[severity]), element("code", check), count]
        for (severity, check), count in sorted(counts.items())
    ]
    name = f"{len(entries):,} more in numbers"
    return [
        element("h3", name),
        note("Each of them stands in the JSON, CSV and Parquet reports of the same audit."),
        table(name, ["severity", "check", "findings"], rows, right=(2,)),
    ]
