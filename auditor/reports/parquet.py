"""The findings as a Parquet file, for DuckDB, pandas and their like; the extra `parquet`. Verdict and manifest stand in
the file's metadata, under keys that begin with `auditor.`

Columns are those of the JSON report's findings. Times are UTC with nanoseconds; lists are lists.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, TextIO

from auditor.document import outline
from auditor.errors import AuditorError
from auditor.text import harmless

if TYPE_CHECKING:
    from auditor.result import Audit

SUFFIXES = (".parquet",)
HASHED = True
MISSING: Final = "Parquet needs pyarrow, which is not installed here"
WAIVER_TEXTS: Final = ("check", "reason", "expires", "vendor", "client", "server", "owner", "ticket")
TIMES: Final = ("first_seen", "last_seen")


def prepare() -> None:
    """Import pyarrow. Raises: AuditorError where it is not installed."""
    _pyarrow()


def write(report: Audit, stream: TextIO) -> None:
    """Write the file to the bytes behind `stream`. Raises: AuditorError where that is a terminal."""
    if stream.isatty():
        raise AuditorError("Parquet is no text for a terminal", help="name a file, e.g. -o findings.parquet")
    import pyarrow.parquet

    stream.flush()
    pyarrow.parquet.write_table(table(report), stream.buffer, compression="zstd")


def table(report: Audit) -> Any:
    """The findings as a `pyarrow.Table`, worst first."""
    from auditor.manifest import manifest_of

    arrow = _pyarrow()
    doc = outline(report)
    rows = [dict(finding) for finding in doc["findings"]]
    for row, finding in zip(rows, report.judged.findings, strict=True):
        row |= {"first_seen": finding.first_ns, "last_seen": finding.last_ns}
        row["evidence"] = [
            {"capture": item.capture, "frame": item.frame or None, "timestamp": item.time_ns}
            for item in finding.evidence
        ]
    metadata = {
        "auditor.schema": doc["schema"],
        "auditor.verdict": doc["verdict"],
        "auditor.manifest": json.dumps(manifest_of(report, hashed=True)),
    }
    return arrow.Table.from_pylist([harmless(row) for row in rows], schema=_schema(arrow).with_metadata(metadata))


def _schema(arrow: Any) -> Any:
    text, count, time = arrow.string(), arrow.int64(), arrow.timestamp("ns", tz="UTC")
    port = arrow.uint16()
    evidence = arrow.struct([("capture", text), ("frame", count), ("timestamp", time)])
    waiver = arrow.struct([*((name, text) for name in WAIVER_TEXTS), ("expired", arrow.bool_())])
    kinds = {
        "client_ports": arrow.list_(port),
        "server_port": port,
        "service_port": port,
        "count": count,
        **dict.fromkeys(TIMES, time),
        "flow_ids": arrow.list_(text),
        "evidence": arrow.list_(evidence),
        "waiver": waiver,
    }
    from auditor.reporttypes import FindingEntry

    return arrow.schema([(name, kinds.get(name, text)) for name in FindingEntry.__annotations__])


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ImportError:
        raise AuditorError(MISSING, help="pip install 'auditor[parquet]' brings it") from None
    return pyarrow
