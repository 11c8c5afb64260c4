"""The page of the Python API's tables: every column, its kind and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    TypedDict,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from auditor import reporttypes
from auditor.generators import Write
from auditor.reportschema import NAMED

if TYPE_CHECKING:
    import pandas as pd

ROOT = Path(__file__).resolve().parent.parent.parent
SAMPLE = "captures/drbackup-violating.pcapng"
TABLES = {
    "flows": reporttypes.FlowEntry,
    "findings": reporttypes.FindingEntry,
    "sessions": reporttypes.SessionEntry,
    "coverage": reporttypes.CoverageEntry,
    "traffic": reporttypes.TrafficRow,
}
"""The properties of `Audit` that are tables, with the entries of the report that they are made from."""
HEAD = """# Tables of the Python API

`auditor.audit(…)` gives an `Audit`; its tables are pandas DataFrames, made when they are asked for. Times are UTC with
nanoseconds, words of which there are few are categories. JSON, CSV and Parquet reports have
the same columns: `null` there is missing here."""


class Changes(TypedDict):
    """The kinds of the columns that the table of changes has before those of findings."""

    change: Literal["new", "gone", "changed"]
    fields: list[str]
    severity_before: reporttypes.SeverityWord | None
    severity_after: reporttypes.SeverityWord | None


def generate(write: Write) -> None:
    from auditor.pipeline import audit
    from auditor.result import Audit

    report = audit(ROOT / SAMPLE)
    parts = [HEAD]
    for name, entry in TABLES.items():
        words = str(getattr(Audit, name).__doc__)
        parts.append(f"## `Audit.{name}`\n\n{words}\n\n{_rows(getattr(report, name), described(entry), entry)}")
    parts.append(_changes(report.compare(report).findings))
    write("docs/tables.md", "\n\n".join(parts) + "\n")


def described(entry: type) -> dict[str, str]:
    """What each key of the report's entry says. Raises: ValueError for one that nothing is said of."""
    found = {}
    for name, hint in get_type_hints(entry, include_extras=True).items():
        notes = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
        words = [note for note in notes if note not in NAMED]
        if not words:
            raise ValueError(f"{entry.__name__}.{name}: expected a description, as Annotated[…, 'what it says']")
        found[name] = str(words[-1]).replace("null:", "missing:").replace("|", "\\|")
    return found


def _changes(table: pd.DataFrame) -> str:
    from auditor.tables import CHANGE_COLUMNS

    words = "Of `Audit.compare(after)`: one row per finding that is new, gone or changed."
    rest = "The others are those of findings, as they are after the change, or, where a finding is gone, were before."
    own = table[list(CHANGE_COLUMNS)]
    return f"## `Comparison.findings`\n\n{words}\n\n{_rows(own, CHANGE_COLUMNS, Changes)}\n\n{rest}"


def _rows(table: pd.DataFrame, words: Mapping[str, str], entry: type) -> str:
    rows = ["| column | kind | what it says |", "| --- | --- | --- |"]
    if table.index.name is not None:
        rows.append(f"| `{table.index.name}`, the index | text | the traffic class |")
    hints = get_type_hints(entry)
    rows += [f"| `{name}` | {_kind(table[name], hints[name])} | {words[name]} |" for name in table.columns]
    return "\n".join(rows)


def _kind(column: pd.Series[Any], hint: Any) -> str:
    """The kind of a column in words, which are the same whatever pandas calls its types."""
    import pandas as pd
    from pandas.api import types

    several = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    missing = ", or missing" if NoneType in several else ""
    base = several[0]
    if isinstance(column.dtype, pd.CategoricalDtype):
        order = "in order: " if column.cat.ordered else ""
        named = [word for word in get_args(base) if word] if get_origin(base) is Literal else []
        return f"category{missing}{'; ' if named else ''}{order if named else ''}{', '.join(named)}"
    if types.is_datetime64_any_dtype(column):
        return f"time{missing}"
    for is_kind, word in (
        (types.is_bool_dtype, "true or false"),
        (types.is_integer_dtype, "integer"),
        (types.is_float_dtype, "number"),
    ):
        if is_kind(column):
            return word + missing
    word = "list" if get_origin(base) is list else "object" if is_typeddict(base) else "text"
    return word + missing
