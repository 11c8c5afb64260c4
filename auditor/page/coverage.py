"""How the captures stand to what each vendor publishes: a matrix, then every statement by vendor document."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from auditor.page.markup import Content, Markup, element, html, note, scrolling, section, table
from auditor.reports.table import STATUSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.reporttypes import Document
    from auditor.result import Audit
    from auditor.rulepack import EnabledPack

SIGNS: Final = {"met": "✓", "violated": "✖", "inconclusive": "?", "not exercised": "·", "not checkable": "∅"}
CLASSES: Final = {
    "met": "met",
    "violated": "violated",
    "inconclusive": "unclear",
    "not exercised": "untried",
    "not checkable": "beyond",
}
MEANINGS: Final = {
    "met": "traffic put it to the test and nothing contradicted",
    "violated": "a finding contradicts it",
    "inconclusive": "these captures do not tell",
    "not exercised": "no traffic put it to the test",
    "not checkable": "no capture could tell",
}

TOLD: Final = ("met", "violated", "inconclusive")

Verdict = tuple[str, str]  # status, evidence


def coverage(report: Audit, doc: Document) -> Markup:
    """Statements of all vendors' documents."""
    verdicts = {(row["vendor"], row["statement"]): (str(row["status"]), row["evidence"]) for row in doc["coverage"]}
    if not verdicts:
        return section("coverage", "Coverage of the vendors' documents", element("p", "No rule pack was in use."))
    legend = [element("li", _status(status), f" {MEANINGS[status]}") for status in STATUSES]
    return section(
        "coverage",
        "Coverage of the vendors' documents",
        element("ul", *legend, class_="legend"),
        _matrix(report, verdicts),
        [_document(enabled, verdicts) for enabled in _told_first(report, verdicts)],
    )


def _status(status: str) -> Markup:
    return element("span", element("b", SIGNS[status]), f" {status}", class_=f"status {CLASSES[status]}")


def _matrix(report: Audit, verdicts: Mapping[tuple[str, str], Verdict]) -> Markup:
    packs = _told_first(report, verdicts)
    names = list(dict.fromkeys(statement.id for enabled in packs for statement in enabled.pack.statements))
    head = [element("th", "statement", scope="col")]
    head += [element("th", enabled.pack.title, scope="col") for enabled in packs]
    rows = []
    for name in names:
        cells = [_cell(verdicts.get((enabled.id, name))) for enabled in packs]
        rows.append(element("tr", element("th", name, scope="row"), html(cells)))
    matrix = element(
        "table",
        element("caption", "Statements by vendor document", class_="unseen"),
        element("thead", element("tr", html(head))),
        element("tbody", html(rows)),
    )
    return element("div", scrolling("Statements by vendor document", matrix), class_="matrix")


def _told_first(report: Audit, verdicts: Mapping[tuple[str, str], Verdict]) -> list[EnabledPack]:
    """The packs, those first of which these captures tell something."""
    told = {vendor for (vendor, _), (status, _) in verdicts.items() if status in TOLD}
    return sorted(report.enabled_packs, key=lambda enabled: enabled.id not in told)


def _cell(verdict: Verdict | None) -> Markup:
    if verdict is None:
        return element("td", element("span", "not published", class_="unseen"))
    status = verdict[0]
    sign = element("b", SIGNS[status], aria_hidden="true")
    return element(
        "td", element("span", sign, element("span", status, class_="unseen"), class_=f"status {CLASSES[status]}")
    )


def _document(enabled: EnabledPack, verdicts: Mapping[tuple[str, str], Verdict]) -> Content:
    """One vendor's statements; folded where its traffic was not seen, since then there is nothing to read."""
    rows: list[list[Content]] = []
    counts: Counter[str] = Counter()
    for statement in enabled.pack.statements:
        status, evidence = verdicts.get((enabled.id, statement.id), ("not exercised", ""))
        counts[status] += 1
        rows.append(
            [_status(status), [element("code", statement.id), note(statement.what)], statement.section, evidence]
        )
    words = ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status])
    title = f"{enabled.pack.title}: {enabled.pack.source.document}"
    body = table(title, ["status", "published", "section", "evidence"], rows)
    if any(counts[status] for status in TOLD):
        return [element("h3", title), note(f"{enabled.id}, version {enabled.pack.version}: {words}"), body]
    return element("details", element("summary", title, element("span", f" · {words}")), body)
