"""JSON of many entries."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from auditor.jsontext import ENTRIES_AT_A_TIME, parted

TEXTS = st.sampled_from(['},{"id":', "},\n  {", "", "é", "\udc80", 'a"b', "\\"]) | st.text(max_size=5)
VALUES = (
    TEXTS | st.integers(-5, 5) | st.lists(st.dictionaries(st.sampled_from(["id", "x"]), TEXTS, max_size=2), max_size=3)
)
ALIKE = st.tuples(VALUES, VALUES).map(lambda two: {"id": two[0], "x": two[1]})
MIXED = st.fixed_dictionaries({"id": VALUES, "x": VALUES})  # in either order
ENTRIES = st.lists(ALIKE, max_size=5) | st.lists(MIXED, max_size=5) | st.lists(TEXTS | st.just({}), max_size=3)


def lines_of(entries: list[Any]) -> list[str]:
    return "\n".join(parted(entries, "\n")).split("\n") if entries else []


@given(ENTRIES)
def test_each_entry_stands_on_a_line_of_its_own_whatever_it_holds(entries: list[Any]) -> None:
    assert [json.loads(line) for line in lines_of(entries)] == entries


def test_more_entries_than_are_encoded_at_once_are_a_line_each() -> None:
    assert lines_of([{"id": n} for n in range(2 * ENTRIES_AT_A_TIME + 1)]) == [
        f'{{"id":{n}}}' for n in range(2 * ENTRIES_AT_A_TIME + 1)
    ]


def test_no_entries_are_no_text() -> None:
    assert list(parted([], "\n")) == []
