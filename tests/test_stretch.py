"""Items that are made when somebody looks at them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from auditor.frozen import frozen
from auditor.stretch import Stretch


@frozen
class Doubled:
    numbers: np.ndarray

    def items(self, first: int, last: int) -> list[str]:
        return [str(2 * number) for number in self.numbers[first:last].tolist()]


class Untouched:
    def items(self, first: int, last: int) -> list[str]:
        raise AssertionError("nobody asked")


NUMBERS = Doubled(np.arange(10))


def test_a_stretch_is_what_its_tuple_is() -> None:
    some = Stretch(NUMBERS, 2, 5)
    assert some == ("4", "6", "8") == tuple(some)
    assert (len(some), some[0], some[-1], list(some[1:]), "6" in some) == (3, "4", "8", ["6", "8"], True)
    assert hash(some) == hash(("4", "6", "8"))
    assert repr(some) == "('4', '6', '8')"


def test_two_of_the_same_items_are_equal_wherever_they_come_from() -> None:
    assert Stretch(NUMBERS, 2, 5) == Stretch(Doubled(np.array([2, 3, 4])), 0, 3)
    assert Stretch(NUMBERS, 2, 5) != Stretch(NUMBERS, 2, 6)
    assert Stretch(NUMBERS, 2, 3) != ["4"]  # as a tuple is no list


def test_whether_there_are_items_is_known_without_them() -> None:
    assert Stretch(Untouched(), 3, 4)
    assert not Stretch(Untouched(), 3, 3)
    with pytest.raises(AssertionError, match="nobody asked"):
        len(Stretch(Untouched(), 3, 4))


def test_a_stretch_can_be_pickled() -> None:
    assert pickle.loads(pickle.dumps(Stretch(NUMBERS, 2, 5))) == ("4", "6", "8")
