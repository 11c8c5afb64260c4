"""A flow table that comes in several batches is one table."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from program import CLEAN, VIOLATING

from auditor.flowformats import FORMATS, endpoint
from auditor.flowlist import FlowList


def _twice(format: str, out: Path) -> tuple[str, int]:
    """The batches of a capture written twice over, and the number of rows that makes."""
    flows = FlowList([str(VIOLATING)])
    parts = [part for part in flows.batches() for _ in range(2)]
    with out.open("w") as stream:
        writer = FORMATS[format](stream, flows.paths)
        for part in parts:
            writer.add(part)
        writer.end()
    return out.read_text(), sum(part.batch.rows for part in parts)


def test_json_stays_one_array(tmp_path: Path) -> None:
    text, rows = _twice("json", tmp_path / "flows.json")
    assert len(json.loads(text)) == rows > 0


def test_csv_has_one_header(tmp_path: Path) -> None:
    text, rows = _twice("csv", tmp_path / "flows.csv")
    assert len(list(csv.DictReader(text.splitlines()))) == rows
    assert text.count("flow_id,") == 1


def test_a_table_has_one_header(tmp_path: Path) -> None:
    text, rows = _twice("table", tmp_path / "flows.txt")
    assert len(text.splitlines()) == rows + 1
    assert text.count("start (UTC)") == 1


@pytest.mark.parametrize(
    ("format", "expected"), [("json", []), ("jsonl", None), ("table", "no flows\n"), ("csv", "flow_id,")]
)
def test_no_flows_are_a_table_too(format: str, expected: object, tmp_path: Path) -> None:
    out = tmp_path / "flows"
    with out.open("w") as stream:
        FORMATS[format](stream, []).end()
    text = out.read_text()
    if format == "json":
        assert json.loads(text) == expected
    else:
        assert text.startswith(str(expected or ""))
        assert text.count("\n") == (0 if expected is None else 1)


def test_csv_labels_are_the_same_whichever_columns_were_asked_for(tmp_path: Path) -> None:
    texts = []
    for columns in (False, True):
        flows = FlowList([str(CLEAN), str(VIOLATING)], columns=columns)
        out = tmp_path / f"{columns}.csv"
        with out.open("w") as stream:
            writer = FORMATS["csv"](stream, flows.paths)
            for part in flows.batches():
                writer.add(part)
            writer.end()
        texts.append(out.read_text())
    assert texts[0] == texts[1]
    assert ",drbackup," in texts[0]


def test_endpoints_read_as_users_write_them() -> None:
    assert endpoint("10.0.0.5", 21, "tcp") == "10.0.0.5:21"
    assert endpoint("2001:db8::1", 53, "udp") == "[2001:db8::1]:53"
    assert endpoint("10.0.0.5", 8, "icmp") == "10.0.0.5"
