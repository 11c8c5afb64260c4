"""Sets of numbers as sorted arrays.

`np.unique` and `np.setdiff1d` do the same, but the first call of either imports numpy.ma: 15 ms, a tenth of what an
audit of a small capture takes.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)


def distinct(values: NDArray[T]) -> NDArray[T]:
    """The different ones of n values, sorted."""
    ordered = np.sort(values)
    first = np.ones(len(ordered), np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first]


def without(values: NDArray[T], others: NDArray[Any]) -> NDArray[T]:
    """The different ones of n values that are not among `others`, sorted."""
    found = distinct(values)
    return found[~np.isin(found, others)]
