"""What is done when a window ends: report files, and a summary for sinks."""

from __future__ import annotations

import io
import os
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from auditor import reports
from auditor.errors import AuditorError
from auditor.formats import time_text
from auditor.outputs import plan
from auditor.sinks.base import SEVERITIES, Event

if TYPE_CHECKING:
    from auditor.monitor.config import Loaded
    from auditor.result import Audit
    from auditor.upcoming import Stretch

MAX_TEXT = 100_000
"""Characters of the report that go with the summary."""


def write_reports(audit: Audit, stretch: Stretch, loaded: Loaded) -> tuple[Event, list[str]]:
    """Write the report files; the event that tells of the window, and what failed."""
    end = loaded.monitor.window_end
    written, failures = [], []
    for template in end.reports if end is not None else ():
        path = loaded.path(template.format(start=_name(stretch.start_ns), end=_name(stretch.end_ns or 0)))
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            (target,) = plan([path], None, reports.suffixes, inputs=())
            with target.open() as stream:
                reports.write(target.format, audit, stream)
            written.append(path)
        except AuditorError as error:
            failures.append(str(error))
        except OSError as error:
            failures.append(f"{path}: the report was not written: {error.strerror or error}")
        except Exception as bug:  # a watch of months does not end by one report
            failures.append(f"{path}: the report was not written: bug of ours: {type(bug).__name__}: {bug}")
    return _event(audit, stretch, written, failures), failures


def _event(audit: Audit, stretch: Stretch, written: list[str], failures: list[str]) -> Event:
    text = io.StringIO()
    reports.write("table", audit, text)
    numbers = Counter(finding.severity.word for finding in audit.judged.findings)
    coverage = Counter(entry.status for entry in audit.judged.coverage)
    found = ", ".join(f"{numbers[word]} {word}" for word in reversed(SEVERITIES) if numbers[word]) or "no findings"
    start, end = time_text(stretch.start_ns), time_text(stretch.end_ns or 0)
    return {
        "event": "report",
        "time": time_text(stretch.end_ns or 0),
        "name": "window-end",
        "severity": "medium" if audit.verdict != "clean" else "info",
        "message": f"window from {start[:19]}Z to {end[:19]}Z: {audit.verdict}; {found}",
        "verdict": audit.verdict,
        "start": start,
        "end": end,
        "findings": {word: numbers[word] for word in SEVERITIES},
        "coverage": dict(sorted(coverage.items())),
        "files": written,
        "failures": failures,
        "text": text.getvalue()[:MAX_TEXT],
    }


def _name(ns: int) -> str:
    """A moment as a part of a file's name, which sorts by time: `20270131T220000Z`."""
    return datetime.fromtimestamp(ns // 10**9, UTC).strftime("%Y%m%dT%H%M%SZ")
