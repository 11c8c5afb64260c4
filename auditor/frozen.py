"""Frozen records: `@frozen` makes what `@dataclass(frozen=True, slots=True)` makes, in a third of the time.

`dataclass` compiles six methods for each class, and the classes of an audit are some sixty: a fifth of a second on a
slow machine. Here only `__init__` is compiled, and all classes share the others. What comes out is a dataclass still:
`fields`, `replace` and pydantic know it.
"""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(kind: type[T]) -> type[T]:
    """The class as a frozen record with slots. Equal records have equal fields; they can be hashed and pickled."""
    made = dataclass(init=False, repr=False, eq=False, slots=True)(kind)
    methods = {"__init__": _init(made), **SHARED}
    for name, method in methods.items():
        if name not in kind.__dict__:
            setattr(made, name, method)
    return made


def _init(kind: type) -> Callable[..., None]:
    """`__init__` for the fields of `kind`. It fills the slots themselves, since the record lets nobody set anything."""
    known: dict[str, Any] = {"MISSING": MISSING}
    parameters, lines = ["self"], []
    for one in fields(kind):
        name = one.name
        known[f"set_{name}"] = getattr(kind, name).__set__
        parameter, value = name, name
        if one.default is not MISSING:
            known[f"default_{name}"] = one.default
            parameter = f"{name}=default_{name}"
        elif one.default_factory is not MISSING:
            known[f"make_{name}"] = one.default_factory
            parameter, value = f"{name}=MISSING", f"make_{name}() if {name} is MISSING else {name}"
        parameters.append(parameter)
        lines.append(f" set_{name}(self, {value})")
    if hasattr(kind, "__post_init__"):
        lines.append(" self.__post_init__()")
    made: dict[str, Any] = {}
    exec("\n".join([f"def __init__({', '.join(parameters)}):", *lines]), known, made)  # noqa: S102  # as dataclass does
    init: Callable[..., None] = made["__init__"]
    init.__qualname__ = f"{kind.__qualname__}.__init__"
    return init


def _values(record: Any) -> tuple[Any, ...]:
    return tuple([getattr(record, name) for name in record.__match_args__])


def _equal(self: Any, other: object) -> bool:
    return _values(self) == _values(other) if other.__class__ is self.__class__ else NotImplemented


def _hash(self: Any) -> int:
    return hash(_values(self))


def _repr(self: Any) -> str:
    values = zip(self.__match_args__, _values(self), strict=True)
    return f"{self.__class__.__qualname__}({', '.join(f'{name}={value!r}' for name, value in values)})"


def _set(self: Any, name: str, value: object) -> NoReturn:  # noqa: ARG001
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delete(self: Any, name: str) -> NoReturn:  # noqa: ARG001
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _reduce(self: Any) -> tuple[type, tuple[Any, ...]]:
    return self.__class__, _values(self)


SHARED: dict[str, Any] = {
    "__eq__": _equal,
    "__hash__": _hash,
    "__repr__": _repr,
    "__setattr__": _set,
    "__delattr__": _delete,
    "__reduce__": _reduce,
}
