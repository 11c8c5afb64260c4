"""JUnit XML for build servers: a test case for each published statement of each vendor, and for each capture.

A case fails where a finding against it makes the verdict `violations`, so that failures and exit code tell the same.
What was not exercised, cannot be checked or is inconclusive is skipped, with the reason. Findings that break no
statement are cases of their own, named after check and vendor.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, TextIO

from auditor.coverage import MET, VIOLATED, concerning
from auditor.document import capture_entry
from auditor.text import printable

if TYPE_CHECKING:
    from auditor.coverage import Coverage
    from auditor.finding import Finding
    from auditor.result import Audit

SUFFIXES = (".xml", ".junit.xml", ".junit")
HASHED = True


class Case(NamedTuple):
    """One test case: failed where it has a `failure`, else skipped where it has a `skip`, else passed."""

    suite: str
    name: str
    failure: str = ""
    skip: str = ""
    text: str = ""


def write(report: Audit, stream: TextIO) -> None:
    """Write all cases, in a suite for each vendor and one for the captures."""
    from auditor.manifest import manifest_of

    manifest = json.dumps(manifest_of(report, hashed=True), ensure_ascii=True)
    properties = [("verdict", report.verdict), ("manifest", manifest)]
    cases = [*_captures(report), *_statements(report), *_further(report)]
    suites = list(dict.fromkeys(case.suite for case in cases))
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    stream.write(f"<testsuites {_counts('auditor', cases)}>\n")
    for suite in suites:
        _suite(stream, suite, [case for case in cases if case.suite == suite], properties)
        properties = []
    stream.write("</testsuites>\n")


def _suite(stream: TextIO, name: str, cases: Sequence[Case], properties: Sequence[tuple[str, str]]) -> None:
    skipped = sum(bool(case.skip) for case in cases)
    stream.write(f' <testsuite {_counts(name, cases)} skipped="{skipped}">\n')
    if properties:
        named = "".join(f"   <property name={_value(key)} value={_value(value)}/>\n" for key, value in properties)
        stream.write(f"  <properties>\n{named}  </properties>\n")
    for case in cases:
        stream.write(f"  <testcase name={_value(case.name)} classname={_value(f'auditor.{case.suite}')}")
        inner = ""
        if case.failure:
            inner += f'<failure type="finding" message={_value(case.failure)}>{_lines(case.text)}</failure>'
        elif case.skip:
            inner += f"<skipped>{_lines(case.skip)}</skipped>"
        elif case.text:
            inner += f"<system-out>{_lines(case.text)}</system-out>"
        stream.write(f">{inner}</testcase>\n" if inner else "/>\n")
    stream.write(" </testsuite>\n")


def _captures(report: Audit) -> Iterator[Case]:
    for capture in report.captures:
        entry = capture_entry(capture)
        problems = [f"{problem['name']}: {problem['message']}" for problem in entry["problems"]]
        lost = "" if entry["complete"] else "not complete; " + "; ".join(problems)
        yield Case("captures", f"complete: {entry['path']}", skip=lost, text="\n".join(problems))
    if report.health.one_sided:
        yield Case("captures", "both directions", skip="only one direction of the traffic was captured")


def _statements(report: Audit) -> Iterator[Case]:
    against = concerning(report.judged.findings)
    failing = {finding.id for finding in report.violations}
    for entry in report.judged.coverage:
        findings = [f for f in against.get((entry.vendor, entry.statement), []) if f.vendor == entry.vendor]
        yield _statement(entry, findings, failing)


def _statement(entry: Coverage, findings: Sequence[Finding], failing: set[str]) -> Case:
    bad = [finding for finding in findings if finding.id in failing]
    if bad:
        return Case(entry.vendor, entry.statement, f"violated: {_number(bad)}", text="\n".join(map(_story, bad)))
    waived = [finding for finding in findings if finding.waived]
    text = "\n".join([f"{entry.status}: {entry.evidence}", *map(_story, findings)])
    if waived and entry.status == VIOLATED:
        reasons = dict.fromkeys(finding.waiver.waiver.reason for finding in waived if finding.waiver)
        return Case(entry.vendor, entry.statement, skip=f"waived: {'; '.join(reasons)}", text=text)
    passed = entry.status in (MET, VIOLATED)  # violated by nothing that is as severe as --fail-on
    return Case(entry.vendor, entry.statement, skip="" if passed else f"{entry.status}: {entry.evidence}", text=text)


def _further(report: Audit) -> Iterator[Case]:
    """Findings that no statement's case shows, by check and vendor."""
    stated = {(entry.vendor, entry.statement) for entry in report.judged.coverage}
    failing = {finding.id for finding in report.violations}
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in report.judged.findings:
        names = (finding.statement, *finding.statements)
        if finding.id in failing and not any((finding.vendor, name) in stated for name in names):
            groups.setdefault((finding.vendor or "no vendor", finding.check), []).append(finding)
    for (vendor, check), findings in sorted(groups.items()):
        yield Case(vendor, f"check {check}", _number(findings), text="\n".join(map(_story, findings)))
    for more in report.judged.unlisted:
        if more.worst >= report.fail_on:
            yield Case("not listed", f"check {more.check}", f"{more.count} further findings")


def _number(findings: Sequence[Finding]) -> str:
    return "1 finding" if len(findings) == 1 else f"{len(findings):,} findings"


def _story(finding: Finding) -> str:
    first = finding.evidence[0]
    frame = f" frame {first.frame}" if first.frame else ""
    words = [f"{finding.severity.word} {finding.check} {finding.id}: {finding.message}", f"  {first.capture}{frame}"]
    words += [f"  {finding.display_filter}"] if finding.display_filter else []
    words += [f"  waived: {finding.waiver.waiver.reason}"] if finding.waiver and finding.waived else []
    return "\n".join(words)


def _counts(name: str, cases: Sequence[Case]) -> str:
    failures = sum(bool(case.failure) for case in cases)
    return f'name={_value(name)} tests="{len(cases)}" failures="{failures}" errors="0"'


def _value(text: str) -> str:
    from html import escape

    return f'"{escape(printable(text))}"'


def _lines(text: str) -> str:
    from html import escape

    return escape("\n".join(map(printable, text.split("\n"))), quote=False)
