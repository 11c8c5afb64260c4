from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.documentfile import MAX_BYTES, read_bytes
from auditor.errors import SiteError
from auditor.yamlfile import MAX_DEPTH, MAX_FAULTS, MAX_NODES, Fault, parse


def messages(text: str | bytes) -> list[str]:
    document = parse(text.encode() if isinstance(text, str) else text, "f.yaml")
    return document.messages(document.faults)


def test_scalars_stay_the_text_that_was_written() -> None:
    data = parse(b"time: 22:30\nflag: no\nmac: 11:22:33:44:55:06\noctal: 0755\nfloat: 1e3\nday: 2027-01-31\n", "f").data
    assert data == {
        "time": "22:30",
        "flag": "no",
        "mac": "11:22:33:44:55:06",
        "octal": "0755",
        "float": "1e3",
        "day": "2027-01-31",
    }


def test_nothing_behind_a_key_is_none_and_empty_quotes_are_text() -> None:
    assert parse(b'a:\nb: ""\nc: [null, ~]\n', "f").data == {"a": None, "b": "", "c": ["null", "~"]}


def test_each_value_has_its_line() -> None:
    document = parse(b"a: 1\nb:\n  - x\n  - c: 2\n    d: 3\n", "f")
    assert document.lines[("a",)] == 1
    assert document.lines[("b", 0)] == 3
    assert document.lines[("b", 1, "c")] == 4
    assert document.lines[("b", 1, "d")] == 5
    assert document.line(("b", 1, "missing", 7)) == 4


def test_every_duplicate_key_is_told_with_both_lines() -> None:
    assert messages("a: 1\nb: {c: 1, c: 2}\na: 3\na: 4\n") == [
        "f.yaml:2: b.c: is there twice, first in line 2; expected once",
        "f.yaml:3: a: is there twice, first in line 1; expected once",
        "f.yaml:4: a: is there twice, first in line 1; expected once",
    ]


def test_the_first_of_duplicate_keys_is_kept_whole() -> None:
    assert parse(b"a: {x: 1}\na: {x: 2, y: [3, {z: 4, z: 5}]}\nb: 6\n", "f").data == {"a": {"x": "1"}, "b": "6"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a: \xff\n", "f.yaml:1: is not UTF-8 at byte 3; expected UTF-8 text"),
        ("a: 1\nb: &x 1\nc: *x\n", "f.yaml:3: alias *x is not read here; write the value out"),
        ("a: !!python/name:os.system x\n", "tag tag:yaml.org,2002:python/name:os.system is not read here"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2: holds a second document; expected one"),
        ("? [1]\n: 2\n", "f.yaml:1: a key is a list or a mapping; expected text"),
        ('"a\\0b": 2\n', "f.yaml:1: a\\x00b is no key; expected plain text"),
        ("a: [1\nb: 2\n", "is no YAML"),
        ("a: b: c\n", "f.yaml:1: is no YAML: mapping values are not allowed in this context"),
        ("\ta: 1\n", "is no YAML"),
        ("a: \x07\n", "is no YAML: character"),
    ],
)
def test_what_documents_have_no_use_for_is_refused(text: str | bytes, message: str) -> None:
    (found,) = messages(text)
    assert message in found


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert parse("\ufeffa: 1\n".encode(), "f").data == {"a": "1"}


def test_deep_nesting_ends_in_a_message() -> None:
    for text in ("[" * 50_000, "{a: " * 50_000, "- " * 50_000):
        (found,) = messages(text)
        # PyYAML has a limit of its own since 6.0.4, and may come to it first
        assert f"is nested deeper than {MAX_DEPTH} levels" in found or "exceeded maximum nesting depth" in found


def test_too_many_values_end_in_a_message() -> None:
    (found,) = messages("[" + "1," * (MAX_NODES + 1) + "]")
    assert f"holds more than {MAX_NODES} values" in found


def test_a_bomb_of_aliases_is_refused_at_its_first_alias() -> None:
    text = "a: &a [x, x]\n" + "".join(
        f"{new}: &{new} [*{old}, *{old}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert messages(text) == ["f.yaml:2: alias *a is not read here; write the value out"]


def test_no_more_faults_are_told_than_someone_reads() -> None:
    document = parse(b"a: 1\n", "f.yaml")
    told = document.messages(Fault(("a",), f"wrong {number}") for number in range(MAX_FAULTS + 5))
    assert len(told) == MAX_FAULTS + 1
    assert told[-1] == "f.yaml: and 5 more errors"


@given(st.binary(max_size=300))
def test_any_bytes_give_a_document_or_faults(content: bytes) -> None:
    document = parse(content, "f.yaml")
    assert document.whole or document.faults
    assert all(line.startswith("f.yaml:") for line in document.messages(document.faults))


VALUES = st.recursive(
    st.one_of(st.none(), st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text("abcxyz-:#", min_size=1, max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_a_dumped_document_is_read_back(value: object) -> None:
    import yaml

    if value is None:
        return
    text = yaml.dump(value, default_style='"', allow_unicode=True).replace('!!null "null"', "")
    assert parse(text.encode(), "f").data == value


def test_a_missing_file_a_folder_and_a_huge_file_are_told(tmp_path: Path) -> None:
    huge = tmp_path / "huge.yaml"
    huge.write_bytes(b" " * (MAX_BYTES + 1))
    cases: list[tuple[str | Path, str]] = [
        (tmp_path / "none.yaml", "cannot be read: No such file or directory"),
        (tmp_path, "is a directory; expected a YAML file"),
        (huge, f"is larger than {MAX_BYTES} bytes"),
        ("a\0b", "cannot be read: embedded null byte"),
    ]
    for path, message in cases:
        with pytest.raises(SiteError, match=message):
            read_bytes(path, SiteError)
