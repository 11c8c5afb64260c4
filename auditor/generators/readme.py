"""The part of the README that would go stale: what the auditor finds on a sample."""

from __future__ import annotations

import os
from pathlib import Path

from auditor.document import document
from auditor.generators import Write
from auditor.pipeline import audit
from auditor.reports.table import render
from auditor.terminal import Screen

ROOT = Path(__file__).resolve().parent.parent.parent
SAMPLE = "captures/drbackup-violating.pcapng"
WIDTH = 100
SHOWN_UNTIL = "Published statements"


def generate(write: Write) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    write("README.md", replaced(text, "sample", f"```text\n{sample()}\n```"))


def sample() -> str:
    """What `auditor audit` prints of the sample, down to the findings."""
    report = audit(ROOT / SAMPLE)
    text = render(document(report), report.reasons, Screen(WIDTH, colour=False))
    return text.replace(f"{ROOT}{os.sep}", "").partition(SHOWN_UNTIL)[0].rstrip() + "\n…"


def replaced(text: str, name: str, part: str) -> str:
    """`text` with what stands between the marks of that name replaced. Raises: ValueError without such marks."""
    begin, end = f"<!-- {name}: generated -->", f"<!-- end of {name} -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"README.md: expected the marks {begin} and {end} once each")
    head, _, rest = text.partition(begin)
    return f"{head}{begin}\n{part}\n{end}{rest.partition(end)[2]}"
