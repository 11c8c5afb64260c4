"""Text from captures on terminals, and its layout."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from auditor.layout import Page, pad, plural, size, width
from auditor.terminal import Screen
from auditor.text import printable


@given(st.text(alphabet=st.characters()))
def test_printable_text_is_one_line_that_no_terminal_obeys(text: str) -> None:
    assert printable(text).isprintable()


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "Zs"])).filter(str.isprintable))
def test_text_that_can_be_seen_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


def test_escapes_are_shown_as_they_are_written() -> None:
    assert printable("\x1b[2J\r\n\u202eabc\udce9") == r"\x1b[2J\r\n\u202eabc\udce9"


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), min_size=1), st.integers(60, 140))
def test_a_table_never_holds_what_a_terminal_obeys(rows: list[tuple[str, str, str]], columns: int) -> None:
    page = Page(Screen(columns, colour=False))
    page.table(rows, right=(1,))
    assert all(line.isprintable() for line in page.lines)


def test_columns_stand_below_each_other() -> None:
    page = Page(Screen(80, colour=False))
    page.table([["a", "10", "x"], ["long", "5", "y"]], right=(1,))
    assert page.lines == ["  a     10  x", "  long   5  y"]


def test_wide_and_combining_characters_count_as_terminals_count_them() -> None:
    assert width("日本") == 4
    assert width("e\N{COMBINING ACUTE ACCENT}") == 1
    assert pad("日", 4) + "|" == "日  |"


def test_numbers_for_people() -> None:
    assert (plural(1, "flow"), plural(1234, "flow"), plural(2, "entry", "entries")) == (
        "1 flow",
        "1,234 flows",
        "2 entries",
    )
    assert (size(999), size(1000), size(1_500_000), size(3 * 10**12)) == ("999 bytes", "1.0 kB", "1.5 MB", "3.0 TB")
