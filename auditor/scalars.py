"""How one value of a YAML document becomes a typed one.

Documents hold text only: the usual YAML loader would turn `22:30` into 1350 and `no` into false. Each field of a
rule pack or site names the `Scalar` that reads it: `Annotated[int, Scalar(read_number, {"type": "integer"})]`. The
same object gives the field's part of the JSON Schema. Nothing here imports pydantic before a document is validated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Annotated, Any, Final, TypeAlias

DOCUMENT: Final[dict[str, Any]] = {"extra": "forbid", "use_attribute_docstrings": True}
"""Configuration of every class that is read from YAML: unknown keys are errors, docstrings describe the schema."""

NAME_PATTERN: Final = "[a-z0-9]+(?:-[a-z0-9]+)*"
"""Names of packs, services, statements, groups: words of small letters and digits, joined by hyphens."""

MAX_TEXT: Final = 2000
"""Characters in one text of a document."""


class Scalar:
    """Reads a value from the text of one scalar. `parse` raises ValueError saying what is wrong."""

    def __init__(self, parse: Callable[[str], object], schema: Mapping[str, Any]) -> None:
        self.parse = parse
        self.schema = schema

    def read(self, value: object) -> object:
        """The typed value; ValueError where a list, a mapping or nothing stands in a scalar's place."""
        if value is None:
            raise ValueError("nothing is there; expected a value")
        if not isinstance(value, str):
            raise ValueError(f"expected one value, there is a {'mapping' if isinstance(value, dict) else 'list'}")
        return self.parse(value)

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> Any:
        return self.core_schema()

    def core_schema(self) -> Any:
        """What pydantic is to do with such a value."""
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, core_schema: object, handler: object) -> dict[str, Any]:
        return dict(self.schema)


def read_text(text: str) -> str:
    """Text with line ends and runs of blanks as single blanks."""
    flat = " ".join(text.split())
    if not flat:
        raise ValueError("the text is empty; expected some")
    if len(flat) > MAX_TEXT:
        raise ValueError(f"the text has {len(flat)} characters; at most {MAX_TEXT} are read")
    if not flat.isprintable():
        raise ValueError(f"{flat!r} holds control characters; expected plain text")
    return flat


def read_name(text: str) -> str:
    if not re.fullmatch(NAME_PATTERN, text):
        raise ValueError(f"{text!r} is no name; expected small letters and digits, joined by hyphens")
    return text


def read_flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false")
    return text == "true"


def read_count(text: str) -> int:
    """A whole number from 0 up to what 64 bits hold."""
    if not re.fullmatch("[0-9]{1,18}", text):
        raise ValueError(f"{text!r} is no whole number from 0 on")
    return int(text)


def read_date(text: str) -> date:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise ValueError(f"{text!r} is no date; expected year-month-day, as 2027-01-31")


Text: TypeAlias = Annotated[str, Scalar(read_text, {"type": "string", "minLength": 1})]
Name: TypeAlias = Annotated[str, Scalar(read_name, {"type": "string", "pattern": f"^{NAME_PATTERN}$"})]
Flag: TypeAlias = Annotated[bool, Scalar(read_flag, {"type": "boolean"})]
Count: TypeAlias = Annotated[int, Scalar(read_count, {"type": "integer", "minimum": 0})]
Day: TypeAlias = Annotated[date, Scalar(read_date, {"type": "string", "format": "date"})]


class Shorthand:
    """A short form of a mapping: a scalar for its field `name`; or, without a name, nothing for an empty mapping."""

    def __init__(self, name: str = "", schema: Mapping[str, Any] | None = None) -> None:
        self.name = name
        self.schema = schema or {"type": "null"}

    def expand(self, value: object) -> object:
        """The mapping that `value` stands for; `value` itself where it is no shorthand."""
        if self.name and isinstance(value, str):
            return {self.name: value}
        return {} if value is None and not self.name else value

    def __get_pydantic_core_schema__(self, source: object, handler: Callable[[object], Any]) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_before_validator_function(self.expand, handler(source))

    def __get_pydantic_json_schema__(self, core_schema: object, handler: Callable[[object], Any]) -> dict[str, Any]:
        return {"anyOf": [dict(self.schema), handler(core_schema)]}


class Either:
    """Tells two kinds of mappings apart: the first if it has `key`, else the second. Errors speak of that kind only."""

    def __init__(self, key: str, first: type, second: type) -> None:
        self.key, self.first, self.second = key, first, second

    def __get_pydantic_core_schema__(self, source: object, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.tagged_union_schema(
            {FIRST: handler.generate_schema(self.first), SECOND: handler.generate_schema(self.second)},
            lambda value: FIRST if isinstance(value, dict) and self.key in value else SECOND,
        )


class Kinds:
    """Tells many kinds of mappings apart by the word under `key`. Errors speak of the kind that is named only."""

    def __init__(self, key: str, kinds: Callable[[], Mapping[str, type]]) -> None:
        self.key, self.kinds = key, kinds

    def __get_pydantic_core_schema__(self, source: object, handler: Any) -> Any:
        from pydantic_core import core_schema

        kinds = self.kinds()
        tags = {word: f"{TAG}{number}" for number, word in enumerate(kinds)}
        choices = {tags[word]: handler.generate_schema(kind) for word, kind in kinds.items()}
        # where no kind is known, only the word that should name one is wrong
        word = core_schema.typed_dict_field(Scalar(partial(_one_of, tuple(kinds)), {}).core_schema())
        choices[UNKNOWN] = core_schema.typed_dict_schema({self.key: word}, extra_behavior="ignore")
        return core_schema.tagged_union_schema(
            choices,
            lambda value: tags.get(str(value.get(self.key)), UNKNOWN) if isinstance(value, dict) else UNKNOWN,
        )

    def __get_pydantic_json_schema__(self, core_schema: object, handler: Callable[[object], Any]) -> dict[str, Any]:
        schema = handler(core_schema)
        return {**schema, "oneOf": schema["oneOf"][: len(self.kinds())]}


def _one_of(words: tuple[str, ...], text: str) -> str:
    from auditor.words import did_you_mean, listed

    raise ValueError(f"{text!r} is unknown; expected {listed(words)}{did_you_mean(text, words)}")


TAG: Final = "\0"
"""Begins the parts of an error's place that name a kind, not a key; no key of a document can hold it."""
FIRST, SECOND, UNKNOWN = TAG + "0", TAG + "1", TAG + "?"
"""What follows TAG is the kind's number among those of its field, as the JSON Schema lists them."""
