"""The vendors' flows as Parquet files, one folder a day: `date=2027-01-31/…`, as pandas, Spark and DuckDB read it.

A file is written under a hidden name and then given its own, so that a reader never sees half of one. pyarrow, the
extra `parquet`, is imported here and nowhere else.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from auditor.errors import StoreError

if TYPE_CHECKING:
    import pandas as pd

PREFIX: Final = "date="


class FlowArchive:
    """A folder of days. `keep`: seconds, `size`: bytes that all of it may take."""

    def __init__(self, folder: str | Path, *, keep: int, size: int, sensor: str) -> None:
        """Raises: StoreError where pyarrow or the folder is missing."""
        need_pyarrow()
        self.folder, self.keep, self.size, self.sensor = Path(folder), keep, size, sensor
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for left in self.folder.glob(f"{PREFIX}*/.*.part"):  # of a process that was killed, and this sensor's
                if re.fullmatch(rf"\.{re.escape(sensor)}-[0-9]+\.part", left.name):
                    left.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{self.folder}: no place for flows: {error.strerror}") from None

    def write(self, flows: pd.DataFrame, name: str) -> tuple[int, int]:
        """Write a flow table, each flow into the day of its start. How many were kept, and how many found no room.

        `name` tells this table from others of the sensor. Raises: OSError.
        """
        kept = lost = 0
        if len(flows):
            days = flows["start"].dt.strftime("%Y-%m-%d")
            for day, of_day in flows.groupby(days, sort=True):
                if self._write_day(of_day, str(day), name):
                    kept += len(of_day)
                else:
                    lost += len(of_day)
        self.prune()
        return kept, lost

    def prune(self, today: date | None = None) -> int:
        """Remove days that are too old, and the oldest while there is too much; how many went. One stays at least."""
        last = (today or datetime.now(UTC).date()) - timedelta(seconds=self.keep)
        days = sorted(self._days())
        sizes = {folder: _size(folder) for _, folder in days}
        gone = 0
        for day, folder in days[:-1]:
            if day < last or sum(sizes.values()) > self.size:
                shutil.rmtree(folder, ignore_errors=True)  # a watch that shares the folder may be at it too
                del sizes[folder]
                gone += 1
        return gone

    def _write_day(self, flows: pd.DataFrame, day: str, name: str) -> bool:
        import pyarrow
        import pyarrow.parquet

        folder = self.folder / f"{PREFIX}{day}"
        folder.mkdir(exist_ok=True)
        hidden, final = folder / f".{self.sensor}-{name}.part", folder / f"{self.sensor}-{name}.parquet"
        try:
            table = pyarrow.Table.from_pandas(flows, preserve_index=False)
            pyarrow.parquet.write_table(table, hidden, compression="zstd")
            if _size(folder) > self.size:  # not even this day alone has room
                return False
            os.replace(hidden, final)
        finally:
            hidden.unlink(missing_ok=True)
        return True

    def _days(self) -> Iterator[tuple[date, Path]]:
        for folder in self.folder.glob(f"{PREFIX}*"):
            try:
                yield date.fromisoformat(folder.name.removeprefix(PREFIX)), folder
            except ValueError:
                continue  # somebody else's


def need_pyarrow() -> None:
    """Raises: StoreError where it is not installed."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise StoreError("flows in Parquet need pyarrow", help="pip install 'auditor[parquet]'") from None


def _size(folder: Path) -> int:
    """Bytes of the files in a folder, of which some may go while we look."""
    found = 0
    with suppress(FileNotFoundError):
        for file in folder.iterdir():
            with suppress(FileNotFoundError):
                found += file.stat().st_size
    return found
