"""The flow table is the same table in every format."""

from __future__ import annotations

import csv
import json

import pytest
from program import CAPTURES, run

from auditor.flowtable import tags
from auditor.reporttypes import FlowEntry

SAMPLES = sorted([*CAPTURES.glob("*.pcap*"), *CAPTURES.glob("*/*.pcap*")])
TIMES = ("start", "end")


def _seconds(time: str) -> str:
    """An ISO time as CSV writes it: epoch seconds with nine decimals."""
    from datetime import UTC, datetime

    whole = datetime.fromisoformat(time[:19]).replace(tzinfo=UTC)
    return f"{int(whole.timestamp())}.{time[20:29]}"


def _as_csv(entry: dict[str, object]) -> dict[str, str]:
    row = {name: "" if value is None else str(value) for name, value in entry.items()}
    for name in TIMES:
        row[name] = _seconds(row[name])
    row["duration"] = f"{entry['duration']:.9f}"
    row["vlan"] = ".".join(map(str, entry["vlan"]))  # type: ignore[call-overload]
    return row


@pytest.mark.parametrize("capture", SAMPLES, ids=lambda path: path.stem)
def test_the_engines_csv_and_our_json_lines_agree(capture) -> None:
    ours = [_as_csv(json.loads(line)) for line in run("flows", capture, "--format", "jsonl").stdout.splitlines()]
    theirs = list(csv.DictReader(run("flows", capture, "--format", "csv").stdout.splitlines()))
    assert ours == theirs


def test_the_csv_has_the_contracts_columns_in_their_order() -> None:
    header = run("flows", SAMPLES[0], "--format", "csv").stdout.splitlines()[0]
    assert header.split(",") == list(FlowEntry.__annotations__)


def test_tags_are_told_outer_to_inner_and_tag_0_is_one() -> None:
    assert tags(0) == []
    assert tags(0x8000 | 42) == [42]
    assert tags((0x8000 | 300) << 16 | 0x8000) == [300, 0]
