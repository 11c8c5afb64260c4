"""How much judging does: elements that numpy looks at, and calls of Python. It is the same in every run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np
import pytest

from auditor import judging
from auditor.flow import Flows


class Counted(np.ndarray):  # type: ignore[type-arg]
    """An array that counts the elements of whatever is done with it. What comes of it counts as well."""

    elements = 0

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        outs = options.get("out", ())
        if outs:
            options["out"] = tuple(plain(one) for one in outs)
        result = getattr(ufunc, method)(*map(plain, inputs), **options)
        count(*inputs, result)
        return outs[0] if outs else wrapped(result)

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        count(*arguments, *(one for one in arguments if isinstance(one, tuple | list)))
        return super().__array_function__(function, types, arguments, options)

    def __getitem__(self, key: Any) -> Any:
        result = super().__getitem__(key)
        count(key, result)
        return result

    def __setitem__(self, key: Any, value: Any) -> None:
        count(key, value)
        super().__setitem__(plain(key), plain(value))

    def astype(self, *arguments: Any, **options: Any) -> Any:
        count(self)
        return super().astype(*arguments, **options)

    def copy(self, *arguments: Any, **options: Any) -> Any:
        count(self)
        return super().copy(*arguments, **options)

    def tolist(self) -> Any:
        count(self)
        return super().tolist()


def plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, Counted) else value


def wrapped(value: Any) -> Any:
    return value.view(Counted) if isinstance(value, np.ndarray) and value.ndim else value


def count(*values: Any) -> None:
    """The largest of the arrays: what is done takes time in proportion to that."""
    sizes = [value.size for value in values if isinstance(value, np.ndarray)]
    Counted.elements += max(sizes, default=0)


@contextmanager
def counting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """What was done so far, of all judgements within."""
    joined, calls = judging.joined, 0

    def counted(batches: Any) -> Flows:
        flows = joined(batches)
        return Flows(**{name: getattr(flows, name).view(Counted) for name in Flows.__match_args__})

    def note(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    with monkeypatch.context() as patched:
        patched.setattr(judging, "joined", counted)
        Counted.elements = 0
        sys.setprofile(note)
        try:
            yield lambda: Counted.elements + calls
        finally:
            sys.setprofile(None)
