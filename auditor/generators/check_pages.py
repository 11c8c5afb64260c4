"""A page for each check from its docstring, and their index."""

from __future__ import annotations

import inspect
import re

from auditor.checks.base import Check
from auditor.discovery import instances
from auditor.generators import Write
from auditor.rulepack import shipped_packs

HEADING = re.compile(r"^(\S.*)$\n(?=    )", re.MULTILINE)  # a line at the margin with an indented one below it


def generate(write: Write) -> None:
    checks = [check for check in instances("auditor.checks", Check) if isinstance(check, Check)]
    for check in checks:
        write(f"docs/checks/{check.id}.md", page(check))
    write("docs/checks/README.md", f"# The checks\n\n{table()}\n")


def table() -> str:
    """All checks with what they find, as Markdown."""
    checks = [check for check in instances("auditor.checks", Check) if isinstance(check, Check)]
    rows = [f"| [{check.id}]({check.id}.md) | {check.title} |" for check in checks]
    return "\n".join(["| check | finds |", "| --- | --- |", *rows])


def page(check: Check) -> str:
    """The documentation page of one check, in Markdown."""
    text = inspect.getdoc(inspect.getmodule(check)) or ""
    statements = [
        f"| {pack.id} | `{statement.id}` | {statement.what} | {statement.section} |"
        for pack in shipped_packs()
        for statement in pack.statements
        if check.id in statement.checked_by
    ]
    published = [
        "",
        "## Published by",
        "",
        "| pack | statement | what | section |",
        "| --- | --- | --- | --- |",
        *statements,
    ]
    lines = [f"# {check.id}", "", f"{check.title}. Since {check.since}.", "", _markdown(text)]
    return "\n".join(lines + (published if statements else [])) + "\n"


def _markdown(text: str) -> str:
    """Headings of the docstring as Markdown headings; what the user sees as code; the rest as paragraphs."""
    parts = []
    for block in HEADING.sub("\f\\1\n", text).split("\f"):
        heading, _, body = block.partition("\n")
        if not body.startswith("    "):
            parts.append(block.strip())
            continue
        shown = inspect.cleandoc("\n" + body)
        parts.append(f"## {heading}\n\n" + (f"```text\n{shown}\n```" if heading == "What you see" else shown))
    return "\n\n".join(parts)
