"""Parquet as DuckDB reads it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb
import pytest
from program import CLEAN, VIOLATING, run

import auditor
from auditor.errors import AuditorError


def findings(path: Path, columns: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(f"select {columns} from read_parquet(?)", [str(path)]).fetchall()


def test_duckdb_reads_the_findings_back(tmp_path: Path) -> None:
    out = tmp_path / "findings.parquet"
    assert run("audit", VIOLATING, "-o", out).returncode == 1
    report = auditor.audit(VIOLATING)
    expected = [
        (f.id, f.check, f.severity.word, f.server_ip, f.service_port, f.count, f.first_ns, f.evidence[0].frame)
        for f in report.judged.findings
    ]
    columns = "id, check, severity, server_ip, service_port, count, epoch_ns(first_seen), evidence[1].frame"
    assert findings(out, '"id", "check", ' + columns.partition("check, ")[2]) == expected


def test_the_columns_are_those_of_the_json_report(tmp_path: Path) -> None:
    out = tmp_path / "findings.parquet"
    run("audit", CLEAN, "-o", out)
    with duckdb.connect() as connection:
        rows = connection.execute("describe select * from read_parquet(?)", [str(out)]).fetchall()
    names = list(auditor.audit(VIOLATING).to_dict()["findings"][0])
    assert [row[0] for row in rows] == names
    assert dict(row[:2] for row in rows)["first_seen"] in ("TIMESTAMPTZ_NS", "TIMESTAMP WITH TIME ZONE")


def test_verdict_and_manifest_stand_in_the_metadata(tmp_path: Path) -> None:
    out = tmp_path / "findings.parquet"
    run("audit", VIOLATING, "-o", out)
    with duckdb.connect() as connection:
        rows = connection.execute("select key, value from parquet_kv_metadata(?)", [str(out)]).fetchall()
    metadata = {bytes(key).decode(): bytes(value).decode() for key, value in rows}
    assert metadata["auditor.verdict"] == "violations"
    assert len(json.loads(metadata["auditor.manifest"])["inputs"][0]["sha256"]) == 64


def test_without_pyarrow_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    from auditor.reports import parquet

    with pytest.raises(AuditorError, match="pyarrow") as caught:
        parquet.prepare()
    assert "auditor[parquet]" in str(caught.value.help)
