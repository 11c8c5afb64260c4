from __future__ import annotations

import json
from datetime import date
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from auditor.frozen import frozen
from auditor.records import plain


@frozen
class Inner:
    name: str
    kind: Literal["a", "b"]
    day: date | None


@frozen
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
def test_a_record_is_a_mapping_of_all_its_fields_that_json_can_hold(record: Outer) -> None:
    def shown(inner: Inner) -> dict[str, str | None]:
        return {"name": inner.name, "kind": inner.kind, "day": None if inner.day is None else inner.day.isoformat()}

    assert json.loads(json.dumps(plain(record))) == {
        "flag": record.flag,
        "numbers": list(record.numbers),
        "groups": {name: [shown(inner) for inner in group] for name, group in record.groups.items()},
        "one": None if record.one is None else shown(record.one),
    }


def test_values_shown_become_their_text() -> None:
    assert plain((Inner("x", "a", None),), shown=(Inner,)) == [str(Inner("x", "a", None))]
