"""The JSON document, line by line."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from auditor.reports.json import LINES_AT_A_TIME, _write_lines

TEXTS = st.sampled_from(['},{"id":', "},\n  {", "", "é", "\udc80", 'a"b', "\\"]) | st.text(max_size=5)
VALUES = (
    TEXTS | st.integers(-5, 5) | st.lists(st.dictionaries(st.sampled_from(["id", "x"]), TEXTS, max_size=2), max_size=3)
)
ALIKE = st.tuples(VALUES, VALUES).map(lambda two: {"id": two[0], "x": two[1]})
MIXED = st.fixed_dictionaries({"id": VALUES, "x": VALUES})  # in either order
ENTRIES = st.lists(ALIKE, max_size=5) | st.lists(MIXED, max_size=5) | st.lists(TEXTS | st.just({}), max_size=3)


def lines_of(entries: list[Any]) -> list[str]:
    stream = StringIO()
    _write_lines(stream, iter(entries))
    return stream.getvalue().splitlines()


@given(ENTRIES)
def test_each_entry_stands_on_a_line_of_its_own_whatever_it_holds(entries: list[Any]) -> None:
    lines = lines_of(entries)
    assert json.loads("".join(lines)) == entries
    assert [json.loads(line.strip().removesuffix(",")) for line in lines[1:-1]] == entries


def test_more_entries_than_are_encoded_at_once_are_a_line_each() -> None:
    entries = [{"id": number} for number in range(2 * LINES_AT_A_TIME + 1)]
    assert lines_of(entries)[1:-1] == [f'  {{"id":{n}}},' for n in range(2 * LINES_AT_A_TIME)] + [
        f'  {{"id":{2 * LINES_AT_A_TIME}}}'
    ]
