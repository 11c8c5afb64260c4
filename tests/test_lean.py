"""Named tuples without typing are typing's in all that is asked of them."""

from __future__ import annotations

import pickle
import typing

import pytest

from auditor.lean import NamedTuple
from auditor.request import InputFile


class Lean(NamedTuple):
    """A tuple."""

    first: int
    second: str = "two"

    @property
    def both(self) -> str:
        return f"{self.first} {self.second}"


class Typed(typing.NamedTuple):
    """A tuple."""

    first: int
    second: str = "two"


def test_fields_defaults_and_text_are_those_of_typings_own() -> None:
    assert Lean._fields == Typed._fields
    assert Lean._field_defaults == Typed._field_defaults
    assert Lean.__doc__ == Typed.__doc__
    assert repr(Lean(1)) == repr(Typed(1)).replace("Typed", "Lean")
    assert Lean(1)._replace(second="x") == Typed(1, "x") == (1, "x")


def test_it_has_the_methods_of_its_class_and_nothing_can_be_set() -> None:
    assert Lean(1).both == "1 two"
    with pytest.raises(AttributeError):
        Lean(1).first = 2  # type: ignore[misc]


def test_it_can_be_pickled() -> None:
    file = InputFile("a.pcap", "capture", 7)
    assert pickle.loads(pickle.dumps(file)) == file
    assert InputFile.__module__ == "auditor.request"
