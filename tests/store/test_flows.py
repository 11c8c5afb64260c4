"""Flows by day, with limits."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("pyarrow")
from auditor.store.flows import FlowArchive

DAYS = ["2026-03-01", "2026-03-02", "2026-03-03"]


def flows(*days: str, each: int = 3) -> pd.DataFrame:
    starts = [pd.Timestamp(f"{day}T23:59:5{number}", tz="UTC") for day in days for number in range(each)]
    return pd.DataFrame({"flow_id": range(len(starts)), "start": starts, "vlan": [[300, 42]] * len(starts)})


def archive(folder: Path, keep: int = 365 * 86_400, size: int = 1 << 20) -> FlowArchive:
    return FlowArchive(folder / "flows", keep=keep, size=size, sensor="span0")


def days(folder: Path) -> list[str]:
    return sorted(path.name.removeprefix("date=") for path in (folder / "flows").iterdir())


def test_each_flow_is_in_the_folder_of_its_day(tmp_path: Path) -> None:
    given = flows(*DAYS)
    assert archive(tmp_path).write(given, "1") == (9, 0)
    assert days(tmp_path) == DAYS
    back = pd.read_parquet(tmp_path / "flows")
    assert sorted(back["flow_id"]) == list(range(9))
    assert back["date"].astype(str).value_counts().to_dict() == dict.fromkeys(DAYS, 3)
    assert list(back["vlan"][0]) == [300, 42]


def test_old_days_go(tmp_path: Path) -> None:
    kept = archive(tmp_path, keep=86_400)
    kept.write(flows(*DAYS), "1")
    kept.prune(date(2026, 3, 3))
    assert days(tmp_path) == DAYS[-1:]


def test_the_oldest_days_go_where_there_is_too_much(tmp_path: Path) -> None:
    archive(tmp_path).write(flows(*DAYS), "1")
    size = sum(file.stat().st_size for file in (tmp_path / "flows" / "date=2026-03-03").iterdir())
    archive(tmp_path, size=size * 2 + 100).prune(date(2026, 3, 3))
    assert days(tmp_path) == DAYS[1:]


def test_flows_that_find_no_room_are_counted(tmp_path: Path) -> None:
    assert archive(tmp_path, size=1000).write(flows(DAYS[0]), "1") == (0, 3)
    assert list((tmp_path / "flows").rglob("*.par*")) == []


def test_what_a_killed_process_left_is_removed_and_what_another_sensor_writes_is_not(tmp_path: Path) -> None:
    day = tmp_path / "flows" / "date=2026-03-01"
    day.mkdir(parents=True)
    left, others = day / ".span0-1.part", [day / ".span1-1.part", day / ".span0-b-1.part"]
    for file in (left, *others):
        file.write_bytes(b"half")
    archive(tmp_path)
    assert [file.exists() for file in (left, *others)] == [False, True, True]
