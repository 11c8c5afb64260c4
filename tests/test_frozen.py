"""Frozen records behave as frozen dataclasses with slots do."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, fields, replace
from functools import cached_property
from typing import Any, ClassVar

import pytest

from auditor import frozen as ours
from auditor.finding import Evidence
from auditor.frozen import frozen


def described(kind: Callable[[type], Any], field: Callable[..., Any]) -> Any:
    """A class of that kind."""

    class Described:
        """What both kinds are made from."""

        first: int
        second: str = "two"
        third: list[int] = field(default_factory=list)
        KIND: ClassVar[str] = "a class variable is no field"

    return kind(Described)


OURS = described(frozen, ours.field)
THEIRS = described(dataclass(frozen=True, slots=True), dataclasses.field)


@pytest.mark.parametrize("given", [{"first": 1}, {"first": 1, "second": "x", "third": [3]}])
def test_a_record_shows_its_fields_as_a_dataclass_does(given: dict[str, Any]) -> None:
    mine, theirs = OURS(**given), THEIRS(**given)
    assert repr(mine) == repr(theirs)
    assert [getattr(mine, one.name) for one in fields(mine)] == [getattr(theirs, one.name) for one in fields(theirs)]
    assert OURS(*given.values()) == mine
    assert replace(mine, second="other") == ours.replace(mine, second="other") == OURS(mine.first, "other", mine.third)


def test_a_record_describes_its_fields_as_a_dataclass_does() -> None:
    assert [repr(one) for one in fields(OURS)] == [repr(one) for one in fields(THEIRS)]
    assert fields(OURS) == fields(OURS(1))


def test_defaults_are_made_anew_for_each_record() -> None:
    one, other = OURS(1), OURS(1)
    assert one == other
    assert one.third is not other.third


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), {}),
        ((), {"second": "x"}),
        ((1, "x", [], 4), {}),
        ((1,), {"fourth": 4}),
        ((1, "x", []), {"third": []}),
        ((1,), {"first": 1}),
    ],
)
def test_values_that_do_not_fit_the_fields_are_refused(arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
    for kind in (OURS, THEIRS):
        with pytest.raises(TypeError, match=r"Described\.__init__"):
            kind(*arguments, **named)


def test_nothing_can_be_set_or_deleted() -> None:
    record = OURS(1)
    with pytest.raises(FrozenInstanceError):
        record.first = 2
    with pytest.raises(FrozenInstanceError):
        record.fifth = 2
    with pytest.raises(FrozenInstanceError):
        del record.first
    assert record.first == 1
    assert not hasattr(record, "__dict__")


def test_equal_records_have_one_hash_and_other_kinds_are_never_equal() -> None:
    assert Evidence("a", 1, None) == Evidence("a", 1, None)
    assert len({Evidence("a", 1, None), Evidence("a", 1, None), Evidence("a", 2, None)}) == 2
    assert OURS(1) != THEIRS(1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(OURS(1))  # of its list


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda record: pickle.loads(pickle.dumps(record))])
def test_records_can_be_copied_and_pickled(copied: Any) -> None:
    record = Evidence("a.pcap", 7, 12)
    assert copied(record) == record


def test_a_record_may_refuse_its_values() -> None:
    @frozen
    class Odd:
        """Refuses even numbers."""

        number: int

        def __post_init__(self) -> None:
            if self.number % 2 == 0:
                raise ValueError("even")

    assert Odd(3).number == 3
    with pytest.raises(ValueError, match="even"):
        Odd(4)


def test_a_cached_property_is_found_once_and_is_no_part_of_the_record() -> None:
    @frozen
    class Measured:
        """Text."""

        text: str

        @cached_property
        def words(self) -> list[str]:
            return self.text.split()

    record = Measured("two words")
    assert record.words is record.words
    assert record == Measured("two words")
    assert [one.name for one in fields(Measured)] == ["text"]
