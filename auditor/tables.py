"""The public tables, as pandas DataFrames. Times are UTC datetimes with nanoseconds, words with few values categories.

This is the only module that imports pandas, and only who asks for a table imports it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from auditor.batches import Labelled
    from auditor.comparison import Comparison
    from auditor.coverage import Coverage
    from auditor.finding import Finding
    from auditor.sessions import Session
    from auditor.traffic import Amount

FLOW_CATEGORIES = (
    "protocol",
    "initiator_basis",
    "state",
    "tunnel",
    "capture",
    "vendor",
    "service",
    "role",
    "role_basis",
)
COUNTS = (
    "initiator_port",
    "responder_port",
    "packets_forward",
    "packets_reverse",
    "bytes_forward_ip",
    "bytes_reverse_ip",
    "payload_forward",
    "payload_reverse",
    "missed_bytes",
    "retransmitted_forward",
    "retransmitted_reverse",
    "first_frame",
)
FINDING_CATEGORIES = ("check", "certainty", "vendor", "statement", "direction", "outcome", "protocol")
SEVERITIES = pd.CategoricalDtype(["info", "low", "medium", "high", "critical"], ordered=True)


def flow_table(rows: Labelled | None, captures: Sequence[str]) -> pd.DataFrame:
    """The contract's flow table. `captures` are the files by index."""
    from auditor.flowtable import columns
    from auditor.judging import joined

    if rows is None:
        from auditor.batches import labelled
        from auditor.events import Events
        from auditor.site import Site

        rows = labelled(joined(()), Events.none(), (), Site())
    values: dict[str, Any] = columns(rows.flows, rows.labels, captures)
    for name, times in (("start", rows.flows.start_ns), ("end", rows.flows.end_ns)):
        values[name] = pd.to_datetime(times, unit="ns", utc=True)
    for name in COUNTS:
        values[name] = getattr(rows.flows, name).astype(np.int64)
    values["syn_frame"] = pd.array(values["syn_frame"], dtype=pd.Int64Dtype())
    return _categorised(pd.DataFrame(values), FLOW_CATEGORIES)


def finding_table(findings: Sequence[Finding]) -> pd.DataFrame:
    """Findings, worst first; the columns of the report, with evidence and waiver as plain values."""
    table = pd.DataFrame([finding.to_dict() for finding in findings], columns=_finding_columns())
    for name, field in (("first_seen", "first_ns"), ("last_seen", "last_ns")):
        table[name] = _times([getattr(finding, field) for finding in findings])
    for name in ("server_port", "service_port"):
        table[name] = pd.array(table[name].tolist(), dtype=pd.Int64Dtype())
    table["severity"] = table["severity"].astype(SEVERITIES)
    return _categorised(table.astype({"count": "int64"}), FINDING_CATEGORIES)


CHANGE_COLUMNS = {
    "change": "what became of the finding",
    "fields": "what differs in a finding that changed",
    "severity_before": "missing where the finding is new",
    "severity_after": "missing where it is gone",
}
"""Columns of the table of changes before those of findings, and what they say."""


def change_table(comparison: Comparison) -> pd.DataFrame:
    """Findings that differ between two audits. `change`: new, gone or changed; `fields`: what differs in the latter.

    The other columns are those of the finding after the change, or, if it is gone, before.
    """
    rows: list[dict[str, Any]] = [
        {"change": "new", "fields": [], "severity_before": None, "severity_after": one["severity"], **one}
        for one in comparison.new
    ]
    rows += [
        {"change": "gone", "fields": [], "severity_before": one["severity"], "severity_after": None, **one}
        for one in comparison.gone
    ]
    for one in comparison.changed:
        severities = {"severity_before": one.before["severity"], "severity_after": one.after["severity"]}
        rows.append({"change": "changed", "fields": list(one.fields), **severities, **one.after})
    table = pd.DataFrame(rows, columns=[*CHANGE_COLUMNS, *_finding_columns()])
    for name in ("first_seen", "last_seen"):
        table[name] = pd.to_datetime(table[name], utc=True, format="ISO8601")
    for name in ("server_port", "service_port"):
        table[name] = pd.array(table[name].tolist(), dtype=pd.Int64Dtype())
    table["change"] = table["change"].astype(pd.CategoricalDtype(["new", "gone", "changed"]))
    severities_of = dict.fromkeys(("severity", "severity_before", "severity_after"), SEVERITIES)
    return _categorised(table.astype({**severities_of, "count": "int64"}), FINDING_CATEGORIES)


def session_table(sessions: Sequence[Session]) -> pd.DataFrame:
    """Sessions in the order of their starts."""
    from auditor.reporttypes import SessionEntry

    table = pd.DataFrame([session.to_dict() for session in sessions], columns=list(SessionEntry.__annotations__))
    table["start"] = _times([session.start_ns for session in sessions])
    table["end"] = _times([session.end_ns for session in sessions])
    table["secured"] = pd.array(table["secured"].tolist(), dtype=pd.BooleanDtype())
    table = table.astype({"files": "Int64", "bytes_up": "int64", "bytes_down": "int64"})
    return _categorised(table, ("vendor", "kind", "outcome"))


def coverage_table(coverage: Sequence[Coverage]) -> pd.DataFrame:
    """One row per statement."""
    columns = ["vendor", "statement", "status", "evidence"]
    return _categorised(pd.DataFrame([row.to_dict() for row in coverage], columns=columns), ("vendor", "status"))


def traffic_table(traffic: Mapping[str, Amount]) -> pd.DataFrame:
    """Flows, packets and bytes by traffic class."""
    rows = [(amount.flows, amount.packets, amount.bytes) for amount in traffic.values()]
    return pd.DataFrame(rows, columns=["flows", "packets", "bytes"], index=pd.Index(list(traffic), name="class"))


def _finding_columns() -> list[str]:
    from auditor.reporttypes import FindingEntry

    return list(FindingEntry.__annotations__)


def _times(times_ns: Sequence[int | None]) -> Any:
    missing = np.datetime64("NaT", "ns")
    times = [missing if time is None else np.datetime64(time, "ns") for time in times_ns]
    return pd.to_datetime(np.array(times, "datetime64[ns]"), utc=True)


def _categorised(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    return table.astype(dict.fromkeys(names, "category"))
