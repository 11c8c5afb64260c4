"""The page of the Python API's tables names every column that there is."""

from __future__ import annotations

import re
from typing import Annotated, TypedDict

import pytest
from program import ROOT, VIOLATING

import auditor
from auditor.generators.columns_page import TABLES, described

PAGE = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")


def columns(title: str) -> list[str]:
    """The columns that the page names under a heading."""
    part = PAGE.partition(f"## `{title}`\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)


@pytest.mark.parametrize("name", TABLES)
def test_the_page_names_the_columns_of_each_table_in_their_order(name: str) -> None:
    table = getattr(auditor.audit(VIOLATING), name)
    assert columns(f"Audit.{name}") == list(table.columns)


def test_the_page_names_the_columns_of_changes() -> None:
    audit = auditor.audit(VIOLATING)
    table = audit.compare(audit).findings
    assert columns("Comparison.findings") + columns("Audit.findings") == list(table.columns)


def test_a_column_of_which_nothing_is_said_is_an_error() -> None:
    class Entry(TypedDict):
        told: Annotated[int, "count", "so many"]
        silent: Annotated[int, "count"]

    with pytest.raises(ValueError, match=r"Entry\.silent: expected a description"):
        described(Entry)
