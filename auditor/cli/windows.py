"""`auditor windows`: when the next windows are."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

from auditor.cli._option import Option
from auditor.errors import AuditorError

if TYPE_CHECKING:
    from auditor.upcoming import Occurrence

FORMATS = ("table", "json")
FIRST_YEAR, LAST_YEAR = 1970, 9000
"""Clocks begin in the first; the calendar of Python ends some years after the last."""


def run(
    *,
    config: Annotated[str | None, Option("A watch's configuration (YAML).", "FILE")] = None,
    site: Annotated[str | None, Option("A site's file (YAML): when backups are expected.", "FILE")] = None,
    count: Annotated[int | None, Option("So many of them; default: 10.", "N")] = None,
    after: Annotated[str | None, Option("From then on, UTC, as 2027-03-27T00:00; default: now.", "TIME")] = None,
    format: Annotated[str, Option("Output format: table, json; default: table.", "FORMAT", FORMATS)] = "table",
) -> int:
    """Show when the next windows begin and end, by their own clock and in UTC.

    One that goes on is the first. Where a clock is put forward or back, the length shows it.

    Example:
      auditor windows --config monitor.yaml
      auditor windows --site site.yaml --after 2027-03-27T00:00 --count 3
    """
    from auditor.upcoming import upcoming

    windows = _windows(config, site)
    found = upcoming(windows, _moment(after), count or 10)
    if format == "json":
        import json

        print(json.dumps([_plain(one) for one in found], indent=2))
        return 0
    from auditor.layout import Page
    from auditor.terminal import screen_of

    page = Page(screen_of(sys.stdout))
    rows = [_plain(one) for one in found]
    page.table(
        [
            ["begins", "ends", "length", "UTC", "window"],
            *([str(row[key]) for key in ("begins", "ends", "length", "utc", "window")] for row in rows),
        ]
    )
    print(page, end="")
    return 0


def _windows(config: str | None, site: str | None) -> Any:
    if (config is None) == (site is None):
        raise AuditorError(
            "expected either --config or --site", help="Example:\n  auditor windows --config monitor.yaml"
        )
    if config is not None:
        from auditor.monitor.config import load_monitor

        return load_monitor(config).monitor.all_windows
    from auditor.site import load_site

    windows = load_site(site or "").windows
    if not windows:
        raise AuditorError(f"{site}: has no windows: backups are expected at any time")
    return windows


def _moment(text: str | None) -> int:
    """Nanoseconds since 1970."""
    import time
    from datetime import UTC, datetime

    if text is None:
        return time.time_ns()
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise AuditorError(f"--after {text}: is no time", help="expected e.g. --after 2027-03-27T00:00") from None
    if not FIRST_YEAR <= given.year <= LAST_YEAR:
        raise AuditorError(f"--after {text}: is too far away; expected a year from {FIRST_YEAR} to {LAST_YEAR}")
    given = given.replace(tzinfo=UTC) if given.tzinfo is None else given
    return int(given.timestamp()) * 10**9


def _plain(one: "Occurrence") -> dict[str, Any]:
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from auditor.quantities import time_text
    from auditor.windows import CronWindow

    zone = ZoneInfo(one.window.timezone)
    start, end = (datetime.fromtimestamp(ns // 10**9, UTC) for ns in (one.start_ns, one.end_ns))
    local = [moment.astimezone(zone).strftime("%a %Y-%m-%d %H:%M %z") for moment in (start, end)]
    window = one.window
    if isinstance(window, CronWindow):
        told = f"cron {window.cron} for {window.duration}"
    else:
        told = f"{window.days} {window.start}-{window.end}"
    return {
        "begins": local[0],
        "ends": local[1],
        "length": time_text((end - start).total_seconds()),
        "utc": f"{start:%m-%d %H:%M} - {end:%m-%d %H:%M}",
        "start": start.isoformat().replace("+00:00", "Z"),
        "end": end.isoformat().replace("+00:00", "Z"),
        "window": f"{told} {window.timezone}",
    }
