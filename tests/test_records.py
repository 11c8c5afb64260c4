from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from auditor.records import build, plain


@dataclass(frozen=True)
class Inner:
    name: str
    kind: Literal["a", "b"]
    day: date | None


@dataclass(frozen=True)
class Outer:
    flag: bool
    numbers: tuple[int, ...]
    groups: dict[str, tuple[Inner, ...]]
    one: Inner | None


INNER = st.builds(Inner, st.text(), st.sampled_from(["a", "b"]), st.none() | st.dates())
OUTER = st.builds(
    Outer,
    st.booleans(),
    st.lists(st.integers(0, (1 << 128) - 1)).map(tuple),
    st.dictionaries(st.text(), st.lists(INNER).map(tuple), max_size=3),
    st.none() | INNER,
)


@given(OUTER)
def test_a_record_comes_back_from_json_as_it_went(record: Outer) -> None:
    assert build(Outer, json.loads(json.dumps(plain(record)))) == record


def test_values_shown_become_their_text() -> None:
    assert plain((Inner("x", "a", None),), shown=(Inner,)) == [str(Inner("x", "a", None))]
