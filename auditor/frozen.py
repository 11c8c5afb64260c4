"""Frozen records: `@frozen` makes what `@dataclass(frozen=True, slots=True)` makes, for a tenth of the time.

`dataclass` compiles six methods for each class, and the classes of an audit are some eighty: a fifth of a second on a
slow machine. Here nothing is compiled, and all classes share their methods. What comes out is a dataclass still:
`fields`, `replace` and pydantic know it. What they go by is put together when they ask, so that an audit, which asks
none of them, does not import `dataclasses` either.
"""

from __future__ import annotations

from functools import cached_property

TYPE_CHECKING = False  # see `auditor`
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from dataclasses import field as field
    from typing import Any, NoReturn, TypeVar, dataclass_transform

    T = TypeVar("T")
else:

    def field(**described):
        """As `dataclasses.field`: with a `default_factory` that makes a default anew for each record, or `metadata`."""
        return _Described(**described)

    def dataclass_transform(**_):
        return lambda decorator: decorator


class _Described(dict):  # type: ignore[type-arg]
    """What is said of a field beside its type, as keyword arguments of `dataclasses.field`."""

    @property
    def has_default(self) -> bool:
        return "default" in self or "default_factory" in self

    def default(self) -> Any:
        return self["default_factory"]() if "default_factory" in self else self["default"]


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(kind: type[T]) -> type[T]:
    """The class as a frozen record. Equal records have equal fields; they can be hashed and pickled.

    It has slots; a dictionary beside them only where properties are cached. Records inherit no fields.
    """
    body = {name: value for name, value in vars(kind).items() if name not in ("__dict__", "__weakref__")}
    names = tuple([name for name, type in kind.__annotations__.items() if "ClassVar[" not in str(type)])
    said = {name: body.pop(name) for name in names if name in body}
    described = {name: one if isinstance(one, _Described) else _Described(default=one) for name, one in said.items()}
    caches = any(isinstance(value, cached_property) for value in body.values())
    body |= {"__slots__": (*names, "__dict__") if caches else names, "__match_args__": names}
    body |= {"__qualname__": kind.__qualname__, "__dataclass_fields__": _Fields(described)}
    metaclass: Any = type(kind)
    made: type[T] = metaclass(kind.__name__, kind.__bases__, {**SHARED, **body})
    made.__init__ = _init(made, described)  # type: ignore[method-assign]
    return made


def _init(kind: type, described: Mapping[str, _Described]) -> Callable[..., None]:
    """`__init__` of `kind`. It fills the slots themselves, since the record lets nobody set anything."""
    names: tuple[str, ...] = kind.__match_args__  # type: ignore[attr-defined]
    fills = [getattr(kind, name).__set__ for name in names]
    finish = getattr(kind, "__post_init__", None)

    def init(self: object, *values: Any, **named: Any) -> None:
        if named or len(values) != len(names):
            values = _completed(f"{kind.__qualname__}.__init__()", names, described, values, named)
        for fill, value in zip(fills, values, strict=True):
            fill(self, value)
        if finish is not None:
            finish(self)

    return init


def _completed(
    call: str,
    names: tuple[str, ...],
    described: Mapping[str, _Described],
    values: tuple[Any, ...],
    named: Mapping[str, Any],
) -> tuple[Any, ...]:
    """A value for each of the fields `names`. Raises: TypeError, as Python does where arguments do not fit."""
    if len(values) > len(names):
        raise TypeError(f"{call} takes {len(names)} values, not {len(values)}")
    given = dict(zip(names, values, strict=False))
    for name in named:
        if name in given or name not in names:
            raise TypeError(f"{call} got {'another' if name in given else 'an unexpected'} argument {name!r}")
    given |= named
    for name in names:
        if name not in given:
            if name not in described or not described[name].has_default:
                raise TypeError(f"{call} got no {name!r}")
            given[name] = described[name].default()
    return tuple([given[name] for name in names])


class _Fields:
    """`__dataclass_fields__`, by which `dataclasses` and pydantic know a class: made when it is asked for."""

    def __init__(self, described: Mapping[str, _Described]) -> None:
        self._described = described

    def __get__(self, record: object, kind: type) -> dict[str, Any]:
        import dataclasses

        body = {name: getattr(kind, name) for name in ("__module__", "__doc__", "__annotations__")}
        body |= {name: dataclasses.field(**said) for name, said in self._described.items()}
        alike: Any = dataclasses.dataclass(init=False, repr=False, eq=False)(type(kind.__name__, (), body))
        kind.__dataclass_fields__ = found = {one.name: one for one in dataclasses.fields(alike)}  # type: ignore[attr-defined]
        return found


def replace(record: T, **changes: Any) -> T:
    """The record with other values in these fields: as `dataclasses.replace`, which would put all fields together."""
    names: tuple[str, ...] = record.__match_args__  # type: ignore[attr-defined]
    values = [changes.pop(name) if name in changes else getattr(record, name) for name in names]
    return record.__class__(*values, **changes)  # a name that is none of the fields' is refused there


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
