"""SARIF 2.1.0 for code scanning: every result stands at the line of the rule pack or site file that was broken.

Captures are no code: their frames are attachments, and what was lost of them is a notification of the run, as are the
findings about captures as such. Waivers are suppressions. Code scanning takes a file whole or not at all: what is
beyond its limits is left out, and said (docs.github.com, "SARIF support for code scanning").
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final, TextIO

from auditor.severity import Severity
from auditor.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.checks.base import Check
    from auditor.finding import AppliedWaiver, Finding
    from auditor.reporttypes import ManifestEntry
    from auditor.result import Audit
    from auditor.rulefiles import RuleFile
    from auditor.rulelines import RuleLine, RuleLines

SUFFIXES = (".sarif", ".sarif.json")
SHARED = (".json",)
HASHED = True
SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
HERE, OURS = "%SRCROOT%", "AUDITOR"
BASES: Final = {
    HERE: {"description": {"text": "The folder that the audit ran in."}},
    OURS: {"description": {"text": "The folder that the auditor is installed in; its rule packs lie there."}},
}
LEVELS: Final = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
SCORES: Final = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "2.0"}
"""Code scanning's `security-severity`: critical above 9, high from 7, medium from 4."""
MAX_RESULTS: Final = 25_000
"""Results of a run; a file with more is rejected. Of these, code scanning shows the worst 5,000."""
LONGEST: Final = 1024
"""Characters of a rule's descriptions."""
EVIDENCE_SHOWN: Final = 10
TOLD: Final = (
    *("severity", "certainty", "outcome", "direction", "vendor", "statement", "client_ip", "server_ip", "protocol"),
    *("service_port", "via", "count", "first_seen", "last_seen", "display_filter", "remediation"),
)
"""Keys of a finding that SARIF has no place for."""


def write(report: Audit, stream: TextIO) -> None:
    """Write one run."""
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    run = _run(report)
    results = run.pop("results")
    head = encode({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})
    stream.write(head.removesuffix("}]}") + ', "results": [\n')
    stream.write(",\n".join(map(encode, results)))  # a line each, so that logs can be compared
    stream.write("\n]}]}\n")


def _run(report: Audit) -> dict[str, Any]:
    from auditor._engine import __version__
    from auditor.judging import all_checks
    from auditor.manifest import manifest_of
    from auditor.rulelines import RuleLines

    lines = RuleLines(report)
    # worst first, so that what is left out is what matters least
    every = [finding for finding in report.judged.findings if finding.vendor or finding.client_ip]
    located = every[:MAX_RESULTS]
    about_captures = [finding for finding in report.judged.findings if not (finding.vendor or finding.client_ip)]
    used = {finding.check for finding in located}
    # all results have suppressions or none, says the standard
    suppressed = any(finding.waiver for finding in located)
    rules = [check for check in all_checks() if check.id in used]
    index = {check.id: at for at, check in enumerate(rules)}
    manifest = manifest_of(report, hashed=True)
    return {
        "tool": {
            "driver": {
                "name": "auditor",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(check, located) for check in rules],
            }
        },
        "invocations": [
            {
                "executionSuccessful": True,
                "exitCode": report.exit_code,
                "exitCodeDescription": report.verdict,
                "toolExecutionNotifications": _notifications(report, about_captures, len(every) - len(located)),
            }
        ],
        "originalUriBaseIds": BASES,
        "artifacts": list(_artifacts(manifest, lines)),
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, index, lines, suppressed=suppressed) for finding in located],
        "properties": {"manifest": manifest},
    }


def _rule(check: Check, findings: Sequence[Finding]) -> dict[str, Any]:
    import inspect

    documentation = inspect.getdoc(inspect.getmodule(check)) or check.title
    worst = max(finding.severity for finding in findings if finding.check == check.id)
    score = SCORES.get(worst)
    return {
        "id": check.id,
        "name": "".join(word.capitalize() for word in check.id.split("-")),
        "shortDescription": {"text": _text(check.title)[:LONGEST]},
        "fullDescription": {"text": _text(documentation.partition("\n")[0])[:LONGEST]},
        "help": {"text": "\n".join(map(_text, documentation.splitlines()))},
        "defaultConfiguration": {"level": LEVELS[worst]},
        "properties": {"tags": ["security", "network"], **({"security-severity": score} if score else {})},
    }


def _result(finding: Finding, index: dict[str, int], lines: RuleLines, *, suppressed: bool) -> dict[str, Any]:
    broken, *others = lines.all_of(finding)
    related = [{**_location(line), "message": {"text": "may be this vendor's traffic as well"}} for line in others]
    frames = [
        {
            "artifactLocation": _uri(item.capture),
            "description": {"text": f"frame {item.frame}" if item.frame else "the capture as a whole"},
        }
        for item in finding.evidence[:EVIDENCE_SHOWN]
    ]
    words = finding.to_dict()
    result = {
        "ruleId": finding.check,
        "ruleIndex": index[finding.check],
        "level": LEVELS[finding.severity],
        "message": {"text": _text(f"{finding.message} ({finding.outcome.word}, {_times(finding.count)})")},
        "locations": [_location(broken)],
        "relatedLocations": [{"id": at, **location} for at, location in enumerate(related)],
        "attachments": [frame for at, frame in enumerate(frames) if frame not in frames[:at]],
        # the grouping key of the finding: check, vendor, ends, port, protocol, direction; no time and no client port.
        # Code scanning knows it by the second name alone; the line's own hash would be that of all findings there.
        "partialFingerprints": {"auditorFinding/v1": finding.id, "primaryLocationLineHash": f"{finding.id}:1"},
        "properties": {name: _plain(words[name]) for name in TOLD},
    }
    if suppressed:
        result["suppressions"] = [_suppression(finding.waiver, lines.of_waiver(finding))] if finding.waiver else []
    return result


def _suppression(applied: AppliedWaiver, line: RuleLine | None) -> dict[str, Any]:
    waiver = applied.waiver
    words = [
        waiver.reason,
        waiver.owner,
        waiver.ticket,
        f"{'expired' if applied.expired else 'until'} {waiver.expires}",
    ]
    return {
        "kind": "external",
        "status": "rejected" if applied.expired else "accepted",
        "justification": printable("; ".join(word for word in words if word)),
        **({} if line is None else {"location": _location(line)}),
    }


def _location(line: RuleLine) -> dict[str, Any]:
    first, last = line.file.columns(line.line)
    region = {"startLine": line.line, "startColumn": first, "endLine": line.line, "endColumn": last}
    return {"physicalLocation": {"artifactLocation": _rule_uri(line.file), "region": region}}


def _notifications(report: Audit, findings: Sequence[Finding], left_out: int) -> list[dict[str, Any]]:
    """What was lost of the captures: it decides how far the results go, but no line of any rule is to blame."""
    words = [(reason, "warning") for reason in report.losses]
    words += [(finding.message, "note") for finding in findings if finding.message not in report.losses]
    words += [
        (f"{more.count} further findings of {more.check} are not listed", "warning") for more in report.judged.unlisted
    ]
    if left_out:
        words.append((f"{left_out} further findings, none of them worse, are not in this file", "warning"))
    return [{"level": level, "message": {"text": _text(text)}} for text, level in dict.fromkeys(words)]


def _artifacts(manifest: ManifestEntry, lines: RuleLines) -> Any:
    for entry in manifest["inputs"]:
        yield _artifact(_uri(entry["path"]), entry["sha256"], ["analysisTarget"], entry["bytes"])
    for file in [*lines.pack_files.values(), *([lines.site_file] if lines.site_file else [])]:
        yield _artifact(_rule_uri(file), file.sha256, ["policy"], None if file.content is None else len(file.content))


def _artifact(uri: dict[str, str], digest: str | None, roles: list[str], length: int | None) -> dict[str, Any]:
    return {
        "location": uri,
        "roles": roles,
        **({} if length is None else {"length": length}),
        **({} if digest is None else {"hashes": {"sha-256": digest}}),
    }


def _rule_uri(file: RuleFile) -> dict[str, str]:
    return {"uri": _quoted(file.path), "uriBaseId": OURS} if file.shipped else _uri(file.path)


def _uri(path: str) -> dict[str, str]:
    """A file's place: from the folder that the audit ran in, as code scanning wants it, where it lies below that."""
    below = os.path.relpath(path)
    if below == os.pardir or below.startswith(os.pardir + os.sep):
        return {"uri": f"file://{_quoted(os.path.abspath(path))}"}
    return {"uri": _quoted(below), "uriBaseId": HERE}


def _quoted(path: str) -> str:
    from urllib.parse import quote

    return quote(path, errors="backslashreplace")  # names need not be UTF-8


def _text(text: str) -> str:
    """Harmless, and plain: brackets would make links of it."""
    return printable(text).replace("[", "\\[").replace("]", "\\]")


def _plain(value: object) -> object:
    return printable(value) if isinstance(value, str) else value


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
