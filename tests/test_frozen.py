"""Frozen records behave as frozen dataclasses with slots do."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import Any, ClassVar

import pytest

from auditor.finding import Evidence
from auditor.frozen import frozen


class Described:
    """What both kinds are made from."""

    first: int
    second: str = "two"
    third: list[int] = field(default_factory=list)
    KIND: ClassVar[str] = "a class variable is no field"


def described(kind: Any) -> Any:
    """A new class of that kind; the decorators change what they are given."""
    body = {name: value for name, value in vars(Described).items() if name not in ("__dict__", "__weakref__")}
    return kind(type("Described", (), body | {"__qualname__": "Described"}))


OURS, THEIRS = described(frozen), described(dataclass(frozen=True, slots=True))


@pytest.mark.parametrize("given", [{"first": 1}, {"first": 1, "second": "x", "third": [3]}])
def test_a_record_shows_its_fields_as_a_dataclass_does(given: dict[str, Any]) -> None:
    ours, theirs = OURS(**given), THEIRS(**given)
    assert repr(ours) == repr(theirs)
    assert [getattr(ours, one.name) for one in fields(ours)] == [getattr(theirs, one.name) for one in fields(theirs)]
    assert OURS(*given.values()) == ours
    assert replace(ours, second="other") == OURS(ours.first, "other", ours.third)


def test_defaults_are_made_anew_for_each_record() -> None:
    one, other = OURS(1), OURS(1)
    assert one == other
    assert one.third is not other.third


@pytest.mark.parametrize("arguments", [(), (1, "x", [], 4)])
def test_too_few_and_too_many_values_are_refused(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError, match=r"Described\.__init__"):
        OURS(*arguments)
    with pytest.raises(TypeError, match="unexpected"):
        OURS(1, fourth=4)


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
