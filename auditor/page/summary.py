"""The page's other parts: verdict, captures, traffic, sessions, both sides of a firewall, manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.layout import plural, size
from auditor.page.markup import Content, Markup, element, facts, note, section, table
from auditor.page.plots import plot
from auditor.reports.table import amounts, clock, silence, span, translated

if TYPE_CHECKING:
    from auditor.reporttypes import CaptureEntry, Document, InputEntry, ProblemEntry, RuleFileEntry
    from auditor.result import Audit

SESSIONS_SHOWN: Final = 200
CAPTURES_SHOWN: Final = 200
PROBLEMS_SHOWN: Final = 20
TRANSLATIONS_SHOWN: Final = 200
SIGNS: Final = {"clean": "✓", "violations": "✖", "inconclusive": "?"}
WORDS: Final = {"clean": "Clean", "violations": "Violations", "inconclusive": "Inconclusive"}


def verdict(report: Audit, doc: Document) -> Markup:
    """The verdict, why it is so, and how much was looked at."""
    word = doc["verdict"]
    reasons = [*report.reasons, *silence(doc)]
    return element(
        "div",
        element("strong", element("span", SIGNS[word], aria_hidden="true"), f" {WORDS[word]}"),
        element("ul", *(element("li", reason) for reason in reasons)) if reasons else None,
        class_=f"verdict {word}",
    )


def period(doc: Document) -> str:
    """The time from the first packet of all captures to the last."""
    starts = [capture["start"] for capture in doc["captures"] if capture["start"]]
    ends = [capture["end"] for capture in doc["captures"] if capture["end"]]
    return f"Captured {span(min(starts), max(ends))}" if starts else "Without packets"


def figures(doc: Document) -> Markup:
    """Numbers at a glance."""
    incomplete = sum(not capture["complete"] for capture in doc["captures"])
    numbers: list[tuple[str, str]] = [
        ("packets", f"{sum(capture['packets'] for capture in doc['captures']):,}"),
        ("captures", f"{len(doc['captures']):,}"),
        ("incomplete captures", f"{incomplete:,}"),
        ("vendor sessions", f"{len(doc['sessions']):,}"),
        ("findings", f"{len(doc['findings']):,}"),
        ("rule packs", f"{len(doc['packs']):,}"),
    ]
    return element("dl", *(element("div", element("dt", k), element("dd", v)) for k, v in numbers), class_="figures")


def captures(report: Audit, doc: Document) -> Markup:
    """How sound the captures are: what they lost decides what the rest of the report can claim."""
    entries = sorted(doc["captures"], key=lambda entry: entry["complete"])
    rows = [_capture(entry) for entry in entries[:CAPTURES_SHOWN]]
    header = ["capture", "format", "packets", "on the wire", "period", "state"]
    losses = report.losses
    return section(
        "health",
        "Capture health",
        element("p", "Nothing was lost: these captures can carry a clean verdict.")
        if not losses
        else [
            element("p", "These captures cannot carry a clean verdict:"),
            element("ul", *(element("li", loss, class_="lost") for loss in losses[:PROBLEMS_SHOWN])),
            _left_out(len(losses) - PROBLEMS_SHOWN, "reasons"),
        ],
        table("Captures", header, rows, right=(2, 3)),
        _left_out(len(entries) - CAPTURES_SHOWN, "captures"),
        plot("health", report),
    )


def _capture(entry: CaptureEntry) -> list[Content]:
    problems = [_problem(problem) for problem in entry["problems"][:PROBLEMS_SHOWN]]
    state = element("span", "read whole") if entry["complete"] else element("span", "INCOMPLETE", class_="lost")
    return [
        element("code", entry["path"]),
        ", ".join([entry["format"], *entry["link_types"]]),
        entry["packets"],
        size(entry["bytes"]),
        span(entry["start"], entry["end"]),
        [state, element("ul", *problems) if problems else None],
    ]


def _problem(problem: ProblemEntry) -> Markup:
    words = f"{problem['name']}{_times(problem['count'])}: {problem['message']}"
    return element("li", words, class_="lost" if problem["hides_traffic"] else None)


def _times(count: int) -> str:
    return f" ({count:,} times)" if count > 1 else ""


def traffic(doc: Document) -> Markup:
    """Flows, packets and bytes by class."""
    rows: list[list[Content]] = [
        [name, row["flows"], row["packets"], size(row["bytes"])] for name, row in amounts(doc) if row["packets"]
    ]
    body = table("Traffic by class", ["class", "flows", "packets", "bytes"], rows, right=(1, 2, 3))
    return section(
        "traffic",
        "Traffic",
        body if rows else element("p", "None."),
        note("return: from servers, in sessions that a client opened. other: no vendor's traffic."),
    )


def sessions(doc: Document) -> Markup:
    """Backup runs, restores, registrations, uses of a support tool."""
    header = ["start, UTC", "vendor", "kind", "client", "servers", "files", "up", "down", "encrypted", "outcome"]
    secured = {True: "yes", False: "NO", None: "not seen"}
    rows: list[list[Content]] = [
        [
            clock(entry["start"]),
            entry["vendor"].replace("|", " or "),
            entry["kind"],
            element("code", entry["client_ip"]),
            element("code", ", ".join(entry["servers"][:4]) + (" …" if len(entry["servers"]) > 4 else "")),
            entry["files"] or None,
            size(entry["bytes_up"]),
            size(entry["bytes_down"]),
            secured[entry["secured"]],
            entry["outcome"],
        ]
        for entry in doc["sessions"][:SESSIONS_SHOWN]
    ]
    return section(
        "sessions",
        "Sessions",
        table("Sessions", header, rows, right=(5, 6, 7)) if rows else element("p", "None."),
        _left_out(len(doc["sessions"]) - SESSIONS_SHOWN, "sessions"),
    )


def vantages(doc: Document) -> Markup:
    """What the firewall made of the flows, where both of its sides were captured."""
    if "vantages" not in doc:
        return Markup()
    seen = doc["vantages"]
    rows: list[list[Content]] = []
    for entry in doc["translations"][:TRANSLATIONS_SHOWN]:
        near, far = translated(entry)
        rows.append([element("code", near), element("code", far), entry["protocol"], entry["flows"]])
    return section(
        "firewall",
        "Through the firewall",
        element(
            "p",
            f"{plural(seen['paired'], 'flow')} on both sides, {seen['only_inside']:,} only inside, "
            f"{seen['only_outside']:,} only outside; the outside's clock differs by {seen['clock_offset']:+.3f} s.",
        ),
        table("Translations", ["inside", "outside", "protocol", "flows"], rows, right=(3,)) if rows else None,
        _left_out(len(doc["translations"]) - TRANSLATIONS_SHOWN, "translations"),
    )


def manifest(doc: Document) -> Markup:
    """What the report rests on, so that somebody else can make it again."""
    found = doc["manifest"]
    inputs: list[list[Content]] = [
        [element("code", entry["path"]), entry["role"], entry["bytes"], _hash(entry)]
        for entry in found["inputs"][:CAPTURES_SHOWN]
    ]
    rules: list[list[Content]] = [
        [f"rule pack {entry['id']}, version {entry['version']}", element("code", entry["file"]), _hash(entry)]
        for entry in found["packs"]
    ]
    if found["site"] is not None:
        rules.append(["site", element("code", found["site"]["file"]), _hash(found["site"])])
    options = found["options"]
    return element(
        "div",
        section(
            "manifest",
            "Manifest",
            facts(
                [
                    ("auditor", f"version {found['auditor']}"),
                    ("rule packs named", ", ".join(options["packs"])),
                    ("waivers judged on", options["as_of"] or ""),
                    ("fails on", f"{options['fail_on']} or worse"),
                    ("incomplete captures", "accepted" if options["allow_incomplete"] else ""),
                    ("flows kept", "all" if options["all_flows"] else ""),
                    ("wrong checksums", "left out" if options["validate_checksums"] else ""),
                    ("packets delivered twice", "counted twice" if options["keep_duplicates"] else ""),
                    ("VLANs of a flow", options["vlan"]),
                ]
            ),
            table("Inputs", ["input", "role", "bytes", "SHA-256"], inputs, right=(2,)),
            _left_out(len(found["inputs"]) - CAPTURES_SHOWN, "inputs"),
            table("Rules", ["rules", "file", "SHA-256"], rules),
        ),
        class_="manifest",
    )


def _hash(entry: InputEntry | RuleFileEntry) -> Markup:
    return element("code", entry["sha256"]) if entry["sha256"] else element("span", entry["note"], class_="note")


def _left_out(count: int, what: str) -> Markup:
    return note(f"{count:,} more {what} stand in the JSON report.") if count > 0 else Markup()
