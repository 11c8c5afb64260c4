"""The report as one document, from an audit. Its shape stands in `auditor.reporttypes`."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any, cast

from auditor.formats import time_text
from auditor.health import capture_losses, capture_problems, one_direction

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    # for type checkers only: to build these types at run time takes as long as to write a report
    from auditor.reporttypes import (
        CaptureEntry,
        CoverageEntry,
        Document,
        FindingEntry,
        FlowEntry,
        PackEntry,
        ProblemEntry,
        SessionEntry,
        Traffic,
        TranslationEntry,
        VantagesEntry,
        VerdictWord,
    )
    from auditor.result import Audit

SCHEMA: Literal["auditor.report/1"] = "auditor.report/1"


def document(report: Audit, *, hashed: bool = False) -> Document:
    """The document of an audit. `hashed`: its manifest has the hashes of all inputs, however large they are."""
    from auditor.manifest import manifest_of

    found = outline(report)
    found["flows"] = _flows(report)
    found["manifest"] = manifest_of(report, hashed=hashed)
    return found


def outline(report: Audit) -> Document:
    """The document without manifest and flows, for what shows neither: a million flows take seconds to write out."""
    found = brief(report)
    found["findings"] = cast("list[FindingEntry]", [finding.to_dict() for finding in report.judged.findings])
    return found


def brief(report: Audit) -> Document:
    """The document without manifest, and without what there may be very much of: flows and findings."""
    from auditor._engine import __version__

    found: Document = {
        "schema": SCHEMA,
        "auditor": {"version": __version__},
        "verdict": cast("VerdictWord", report.verdict),
        "captures": _captures(report),
        "packs": cast("list[PackEntry]", report.packs),
        "site": report.site,
        "traffic": cast(
            "Traffic",
            {
                name: {"flows": amount.flows, "packets": amount.packets, "bytes": amount.bytes}
                for name, amount in report.judged.traffic.items()
            },
        ),
        "sessions": cast("list[SessionEntry]", [session.to_dict() for session in report.judged.sessions]),
        "flows": [],
        "findings": [],
        "coverage": cast("list[CoverageEntry]", [entry.to_dict() for entry in report.judged.coverage]),
    }
    if report.judged.crossed is not None:
        found["vantages"] = cast("VantagesEntry", report.judged.crossed.to_dict())
        found["translations"] = cast(
            "list[TranslationEntry]", [entry.to_dict() for entry in report.judged.crossed.translations]
        )
    return found


def _captures(report: Audit) -> list[CaptureEntry]:
    entries = [capture_entry(capture) for capture in report.captures]
    first = next((entry for entry in entries if entry["packets"]), None)
    if report.health.one_sided and first is not None:
        first["problems"].insert(0, cast("ProblemEntry", one_direction()))
        first["complete"] = False
    return entries


def capture_entry(capture: Mapping[str, Any]) -> CaptureEntry:
    """What the report says of a capture, from what the engine says."""
    seen = capture["packets"] > 0
    return {
        "path": capture["path"],
        "format": capture["format"],
        "link_types": list(capture["link_types"]),
        "packets": capture["packets"],
        "bytes": capture["bytes"],
        "start": time_text(capture["first_ns"]) if seen else None,
        "end": time_text(capture["last_ns"]) if seen else None,
        "complete": not capture_losses(capture),
        "problems": cast("list[ProblemEntry]", capture_problems(capture)),
    }


def _flows(report: Audit) -> list[FlowEntry]:
    collects = gc.isenabled()
    gc.disable()  # plain values refer to nothing in a circle: looking for that among a million takes 2/5 of the time
    try:
        return cast("list[FlowEntry]", list(report.flow_entries()))
    finally:
        if collects:
            gc.enable()
