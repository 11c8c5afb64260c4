"""The report as GitHub-flavoured Markdown, for tickets, wikis and pull requests."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final, TextIO

from auditor.document import outline
from auditor.layout import plural, size
from auditor.reports.table import SEVERITIES, STATUSES, amounts, clock, ends, silence, span, translated
from auditor.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from auditor.reporttypes import Document, FindingEntry, InputEntry, RuleFileEntry
    from auditor.result import Audit

SUFFIXES = (".md", ".markdown")
HASHED = True
FINDINGS_SHOWN: Final = 200
ROWS_SHOWN: Final = 200
EVIDENCE_SHOWN: Final = 5
BAR: Final = "\\|"
LONGEST: Final = 1000
"""Characters of one text from captures or rules."""
SPECIAL: Final = re.compile(r"([\\`*_\[\]<>#!~&$@])")
"""What emphasis, code, links, HTML, mentions and formulas begin with."""


def write(report: Audit, stream: TextIO) -> None:
    """Write the report."""
    from auditor.manifest import manifest_of

    doc = outline(report)
    doc["manifest"] = manifest_of(report, hashed=True)
    stream.writelines(f"{line}\n" for line in _lines(report, doc))


def text(value: object) -> str:
    """A text as it is, with nothing that Markdown or HTML would obey. One line."""
    shown = printable(str(value))
    shown = shown if len(shown) <= LONGEST else shown[:LONGEST] + "…"
    return SPECIAL.sub(r"\\\1", shown).replace("://", r":\//").replace("www.", r"www\.")  # no link of any kind


def code(value: object) -> str:
    """A text as code: between more backticks than it has itself."""
    shown = printable(str(value))
    if not shown:
        return ""
    fence = "`" * (max(map(len, re.findall("`+", shown)), default=0) + 1)
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def _lines(report: Audit, doc: Document) -> Iterator[str]:
    yield f"# Traffic audit: {doc['verdict'].upper()}"
    yield ""
    for reason in [*report.reasons, *silence(doc)]:
        yield f"- {text(reason)}"
    packs = ", ".join(f"{text(pack['title'])} (version {text(pack['version'])})" for pack in doc["packs"])
    yield f"- audited against {packs or 'no rule pack'}"
    yield from _health(report, doc)
    yield from _findings(report, doc["findings"])
    yield from _coverage(report, doc)
    yield from _sessions(doc)
    yield from _traffic(doc)
    yield from _vantages(doc)
    yield from _manifest(doc)


def _heading(words: str) -> list[str]:
    return ["", f"## {words}", ""]


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Rows as a table; a bar in a cell would end it, even in code."""
    yield f"| {' | '.join(header)} |"
    yield f"|{' --- |' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', BAR) for cell in row)} |"


def _left_out(count: int, what: str) -> list[str]:
    return ["", f"… and {count:,} more {what}, in the JSON report."] if count > 0 else []


def _health(report: Audit, doc: Document) -> Iterator[str]:
    yield from _heading("Capture health")
    losses = report.losses
    if losses:
        yield "These captures cannot carry a clean verdict:"
        yield ""
        yield from (f"- **{text(loss)}**" for loss in losses[:ROWS_SHOWN])
    else:
        yield "Nothing was lost: these captures can carry a clean verdict."
    yield ""
    entries = sorted(doc["captures"], key=lambda entry: entry["complete"])
    yield from _table(
        ["capture", "format", "packets", "on the wire", "period", "state"],
        (
            [
                code(entry["path"]),
                text(", ".join([entry["format"], *entry["link_types"]])),
                f"{entry['packets']:,}",
                size(entry["bytes"]),
                span(entry["start"], entry["end"]),
                "read whole" if entry["complete"] else "**INCOMPLETE**",
            ]
            for entry in entries[:ROWS_SHOWN]
        ),
    )
    yield from _left_out(len(entries) - ROWS_SHOWN, "captures")
    problems = [(entry, problem) for entry in entries for problem in entry["problems"]]
    if problems:
        yield ""
        for entry, problem in problems[:ROWS_SHOWN]:
            words = f"{problem['name']}, {plural(problem['count'], 'time')}: {problem['message']}"
            yield f"- {code(entry['path'])}: {text(words)}"
        yield from _left_out(len(problems) - ROWS_SHOWN, "problems")


def _findings(report: Audit, findings: Sequence[FindingEntry]) -> Iterator[str]:
    counts = Counter(finding["severity"] for finding in findings)
    tally = ", ".join(f"{counts[word]:,} {word}" for word in SEVERITIES if counts[word])  # type: ignore[index]
    yield from _heading(f"Findings: {tally or 'none'}")
    for finding in findings[:FINDINGS_SHOWN]:
        yield from _finding(finding)
    yield from _left_out(len(findings) - FINDINGS_SHOWN, "findings")
    for more in report.judged.unlisted:
        yield f"{more.count:,} further findings of {more.check} are not listed."


def _finding(finding: FindingEntry) -> Iterator[str]:
    yield f"### {finding['severity']}: {text(finding['title'])}"
    yield ""
    yield text(finding["message"])
    yield ""
    marks = [finding["outcome"], "once" if finding["count"] == 1 else f"{finding['count']:,} times"]
    marks += ["inferred"] if finding["certainty"] == "inferred" else []
    yield f"- check: {code(finding['check'])} ({', '.join(marks)}), finding {code(finding['id'])}"
    if finding["client_ip"] or finding["server_ip"]:
        yield f"- traffic: {code(f'{ends(finding)}/' + str(finding['protocol']))}"
    if finding["vendor"]:
        statement = f", statement {code(finding['statement'])}" if finding["statement"] else ""
        yield f"- vendor: {text(finding['vendor'].replace('|', ' or '))}{statement}"
    for item in finding["evidence"][:EVIDENCE_SHOWN]:
        frame = f"frame {item['frame']} of " if item["frame"] else ""
        when = f", {clock(item['timestamp'])} UTC" if item["timestamp"] else ""
        yield f"- evidence: {frame}{code(item['capture'])}{when}"
    if finding["display_filter"]:
        yield f"- in Wireshark: {code(finding['display_filter'])}"
    if finding["remediation"]:
        yield f"- what to do: {text(finding['remediation'])}"
    waiver = finding["waiver"]
    if waiver is not None:
        words = [
            f"{'expired' if waiver['expired'] else 'until'} {waiver['expires']}",
            waiver["reason"],
            waiver["ticket"],
        ]
        yield f"- waiver: {text('; '.join(str(word) for word in words if word))}"
    yield ""


def _coverage(report: Audit, doc: Document) -> Iterator[str]:
    titles = {enabled.id: enabled.pack for enabled in report.enabled_packs}
    yield from _heading("Coverage of the vendors' documents")
    counts = Counter((row["vendor"], str(row["status"])) for row in doc["coverage"])
    vendors = list(dict.fromkeys(row["vendor"] for row in doc["coverage"]))
    yield from _table(
        ["vendor document", *STATUSES],
        (
            [
                text(f"{titles[vendor].title}: {titles[vendor].source.document}"),
                *(str(counts[vendor, status]) for status in STATUSES),
            ]
            for vendor in vendors
        ),
    )
    told = [row for row in doc["coverage"] if row["status"] in ("met", "violated", "inconclusive")]
    if told:
        yield ""
        yield from _table(
            ["vendor", "statement", "status", "evidence"],
            ([text(row["vendor"]), code(row["statement"]), row["status"], text(row["evidence"])] for row in told),
        )


def _sessions(doc: Document) -> Iterator[str]:
    if not doc["sessions"]:
        return
    yield from _heading("Sessions")
    yield from _table(
        ["start, UTC", "vendor", "kind", "client", "servers", "up", "down", "outcome"],
        (
            [
                clock(entry["start"]),
                text(entry["vendor"]),
                entry["kind"],
                code(entry["client_ip"]),
                code(", ".join(entry["servers"])),
                size(entry["bytes_up"]),
                size(entry["bytes_down"]),
                text(entry["outcome"]),
            ]
            for entry in doc["sessions"][:ROWS_SHOWN]
        ),
    )
    yield from _left_out(len(doc["sessions"]) - ROWS_SHOWN, "sessions")


def _traffic(doc: Document) -> Iterator[str]:
    yield from _heading("Traffic")
    yield from _table(
        ["class", "flows", "packets", "bytes"],
        (
            [name, f"{row['flows']:,}", f"{row['packets']:,}", size(row["bytes"])]
            for name, row in amounts(doc)
            if row["packets"]
        ),
    )


def _vantages(doc: Document) -> Iterator[str]:
    if "vantages" not in doc:
        return
    seen, entries = doc["vantages"], doc["translations"]
    yield from _heading("Through the firewall")
    sides = f"{seen['only_inside']:,} only inside, {seen['only_outside']:,} only outside"
    yield f"{plural(seen['paired'], 'flow')} on both sides, {sides}."
    yield ""
    yield from _table(
        ["inside", "outside", "protocol", "flows"],
        (
            [*map(code, translated(entry)), text(entry["protocol"]), f"{entry['flows']:,}"]
            for entry in entries[:ROWS_SHOWN]
        ),
    )
    yield from _left_out(len(entries) - ROWS_SHOWN, "translations")


def _manifest(doc: Document) -> Iterator[str]:
    found = doc["manifest"]
    options = found["options"]
    yield from _heading("Manifest")
    yield f"- auditor {text(found['auditor'])}"
    yield f"- waivers judged on {options['as_of'] or 'no day'}; fails on {options['fail_on']} or worse"
    switches = [name for name, value in options.items() if value is True]
    yield f"- switched on: {', '.join(switches) or 'nothing'}; VLANs: {options['vlan']}"
    yield f"- rule packs named: {text(', '.join(options['packs'])) or 'none'}"
    yield ""
    rows = [[entry["role"], *_file(entry["path"], entry)] for entry in found["inputs"]]
    rows += [
        [f"rule pack {text(entry['id'])} {text(entry['version'])}", *_file(entry["file"], entry)]
        for entry in found["packs"]
    ]
    if found["site"] is not None:
        rows.append(["site", *_file(found["site"]["file"], found["site"])])
    yield from _table(["what", "file", "SHA-256"], rows[:ROWS_SHOWN])
    yield from _left_out(len(rows) - ROWS_SHOWN, "files")


def _file(path: str, entry: InputEntry | RuleFileEntry) -> list[str]:
    """A file and its hash, or why there is none."""
    return [code(path), code(entry["sha256"]) if entry["sha256"] else text(entry["note"])]
