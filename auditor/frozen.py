"""Frozen records: `@frozen` makes what `@dataclass(frozen=True, slots=True)` makes, for a tenth of the time.

`dataclass` compiles six methods for each class, and the classes of an audit are some eighty: a fifth of a second on a
slow machine. Here all classes share their methods but `__init__`, which is compiled for the first record. What comes
out is a dataclass still: `fields`, `replace` and pydantic know it. What they go by is put together when they ask, so
that an audit which asks none of them does not import `dataclasses` either.
"""

from __future__ import annotations

from functools import cached_property

TYPE_CHECKING = False  # see `auditor`
if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import field as field
    from typing import Any, NoReturn, TypeVar, dataclass_transform

    T = TypeVar("T")
else:

    def field(**described):
        """As `dataclasses.field`: with a `default_factory` that makes a default anew for each record, or `metadata`."""
        return _Described(described)

    def dataclass_transform(**_):
        return lambda decorator: decorator


class _Described(dict):  # type: ignore[type-arg]  # of keyword arguments for `dataclasses.field`
    """What is said of a field beside its type."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(kind: type[T]) -> type[T]:
    """The class as a frozen record. Equal records have equal fields; they can be hashed and pickled.

    It has slots; a dictionary beside them only where properties are cached. Records inherit no fields.
    """
    body = {name: value for name, value in vars(kind).items() if name not in ("__dict__", "__weakref__")}
    names = tuple([name for name, type in kind.__annotations__.items() if "ClassVar[" not in str(type)])
    defaults = {name: body.pop(name) for name in names if name in body}
    caches = any(isinstance(value, cached_property) for value in body.values())
    body |= {"__slots__": (*names, "__dict__") if caches else names, "__match_args__": names}
    metaclass: Any = type(kind)
    made: type[T] = metaclass(kind.__name__, kind.__bases__, {**SHARED, **body, "__qualname__": kind.__qualname__})
    described = {
        name: default if isinstance(default, _Described) else {"default": default} for name, default in defaults.items()
    }
    for name, make in LATER.items():
        if name not in body:
            setattr(made, name, _Later(name, made, described, make))
    return made


class _Later:
    """An attribute of a class of records that is made when it is first asked for."""

    def __init__(self, name: str, kind: type, described: dict[str, Any], make: Callable[..., object]) -> None:
        self._name, self._kind, self._described, self._make = name, kind, described, make

    def __get__(self, record: object, _: type) -> Any:
        setattr(self._kind, self._name, self._make(self._kind, self._described))
        return getattr(self._kind if record is None else record, self._name)


def _init(kind: type, described: dict[str, Any]) -> Callable[..., None]:
    """`__init__` for the fields of `kind`. It fills the slots themselves, since the record lets nobody set anything."""
    known: dict[str, Any] = {"MISSING": object()}
    parameters, lines = ["self"], []
    for name in kind.__match_args__:  # type: ignore[attr-defined]
        known[f"set_{name}"] = getattr(kind, name).__set__
        said = described.get(name, {})
        parameter, value = name, name
        if "default" in said:
            known[f"default_{name}"] = said["default"]
            parameter = f"{name}=default_{name}"
        elif "default_factory" in said:
            known[f"make_{name}"] = said["default_factory"]
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


def _fields(kind: type, described: dict[str, Any]) -> dict[str, Any]:
    """The fields as `dataclasses` has them: those of a dataclass that is described as `kind` is."""
    import dataclasses

    body = {name: vars(kind)[name] for name in ("__module__", "__doc__", "__annotations__")}
    body |= {name: dataclasses.field(**said) for name, said in described.items()}
    alike: Any = dataclasses.dataclass(init=False, repr=False, eq=False)(type(kind.__name__, (), body))
    return {one.name: one for one in dataclasses.fields(alike)}


LATER = {"__init__": _init, "__dataclass_fields__": _fields}


def replace(record: T, **changes: Any) -> T:
    """The record with other values in these fields: as `dataclasses.replace`, which would put all fields together."""
    names: tuple[str, ...] = record.__match_args__  # type: ignore[attr-defined]
    return record.__class__(**{name: getattr(record, name) for name in names} | changes)


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
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delete(self: Any, name: str) -> NoReturn:  # noqa: ARG001
    from dataclasses import FrozenInstanceError

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
