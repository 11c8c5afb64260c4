"""What notebooks show of an audit, a comparison. Text from captures is escaped: it may be anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from auditor.text import printable

if TYPE_CHECKING:
    from auditor.comparison import Comparison
    from auditor.reporttypes import FindingEntry
    from auditor.result import Audit

ROWS = 25  # findings that are shown; the tables have all
# A mark beside each word, so that no colour has to be told from another.
MARKS = {
    "clean": "✓",
    "better": "✓",
    "same": "=",
    "violations": "✗",
    "worse": "✗",
    "inconclusive": "?",
}
FINDING = ("severity", "check", "vendor", "client_ip", "server_ip", "service_port", "message")


def audit_html(audit: Audit) -> str:
    """Verdict, reasons, captures, findings."""
    document = audit.to_dict()
    parts = [_verdict(audit.verdict, audit.reasons or ["nothing was found"])]
    captures = [
        [one["path"], one["packets"], _time(one["start"]), _time(one["end"]), "yes" if one["complete"] else "no"]
        for one in document["captures"]
    ]
    parts.append(_table(("capture", "packets", "start", "end", "complete"), captures))
    findings = document["findings"]
    if findings:
        parts.append(_table(FINDING, [[finding[name] for name in FINDING] for finding in findings[:ROWS]]))
    if len(findings) > ROWS:
        parts.append(f"<p>{len(findings) - ROWS:,} more in <code>.findings</code></p>")
    return _whole(parts)


def comparison_html(comparison: Comparison) -> str:
    """Verdict, reasons, and the findings that differ."""
    parts = [_verdict(comparison.verdict, [*comparison.reasons, *(f"note: {note}" for note in comparison.notes)])]
    changes: list[tuple[str, FindingEntry]] = [("new", finding) for finding in comparison.new]
    changes += [("gone", finding) for finding in comparison.gone]
    changes += [(f"changed: {', '.join(one.fields)}", one.after) for one in comparison.changed]
    if changes:
        rows = [[what, *(finding[name] for name in FINDING)] for what, finding in changes[:ROWS]]  # type: ignore[literal-required]
        parts.append(_table(("change", *FINDING), rows))
    if len(changes) > ROWS:
        parts.append(f"<p>{len(changes) - ROWS:,} more in <code>.findings</code></p>")
    return _whole(parts)


def _verdict(verdict: str, reasons: Sequence[str]) -> str:
    items = "".join(f"<li>{_text(reason)}</li>" for reason in reasons[:ROWS])
    return f"<p><strong>{MARKS[verdict]} {verdict}</strong></p><ul>{items}</ul>"


def _table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = "".join(f"<th>{_text(name)}</th>" for name in header)
    body = "".join(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _text(value: object) -> str:
    return "" if value is None else escape(printable(str(value)))


def _time(text: str | None) -> str:
    return f"{text[:19].replace('T', ' ')} UTC" if text else ""


def _whole(parts: Iterable[str]) -> str:
    return f'<div class="auditor">{"".join(parts)}</div>'
