"""`auditor status`: how a watch stands."""

import sys
from typing import Annotated, Any

from auditor.cli._option import Option

FORMATS = ("table", "json")
WELL, TROUBLE = 0, 3


def run(
    *,
    config: Annotated[str | None, Option("The watch's configuration, which names its status file.", "FILE")] = None,
    file: Annotated[str | None, Option("The status file itself.", "FILE")] = None,
    format: Annotated[str, Option("Output format: table, json; default: table.", "FORMAT", FORMATS)] = "table",
) -> int:
    """Show whether a watch runs, what it sees, and what its sinks and store have lost.

    Exit codes: 0 it runs and all is well, 2 there is no status, 3 it does not run, or something was lost or fails.

    Example:
      auditor status --config monitor.yaml
      auditor status --format json
    """
    from auditor.monitor.config import default_status, load_monitor
    from auditor.monitor.status import read_status

    if file is None:
        import socket

        file = load_monitor(config).status if config is not None else default_status(socket.gethostname())
    status = read_status(file)
    if format == "json":
        import json

        print(json.dumps(status, indent=2))
    else:
        _print(status)
    return TROUBLE if status["troubles"] else WELL


def _print(status: dict[str, Any]) -> None:
    from auditor.layout import Page, plural
    from auditor.quantities import size_text
    from auditor.terminal import BOLD, GREEN, RED, screen_of

    page = Page(screen_of(sys.stdout))
    well = not status["troubles"]
    said = "runs" if status["alive"] else "does not run"
    page.text(f"{status['sensor']} {said}{', all is well' if well else ''}", GREEN if well else RED, BOLD, indent=0)
    for trouble in status["troubles"]:
        page.text(trouble)
    part = status["part"]
    page.text(f"process {status['pid']} since {status['started'][:19]}Z, status of {status['age']:.0f} seconds ago")
    if part is not None:
        end = "" if part["end"] is None else f" until {part['end'][:19]}Z"
        page.text(
            f"{'in a window' if part['kind'] == 'window' else 'between windows'} since {part['start'][:19]}Z{end}"
        )
    capture = status["capture"]
    page.heading("Capture")
    rows = [["interface", "packets", "bytes", "lost"]]
    for name, one in capture["interfaces"].items():
        lost = ", ".join(f"{cause}: {count:,}" for cause, count in one["drops"].items() if count) or "nothing"
        rows.append([name, f"{one['packets']:,}", size_text(one["bytes"]), lost])
    page.table(rows, right=(1, 2))
    page.heading(f"Findings of this window: {sum(one['count'] for one in status['findings']):,}")
    page.table(
        [[one["severity"], one["check"], f"{one['count']:,}"] for one in status["findings"]] or [["none", "", ""]]
    )
    if status["sinks"]:
        page.heading("Sinks")
        keys = ("received", "delivered", "grouped", "waiting")
        page.table(
            [
                ["name", *keys, "lost"],
                *(
                    [sink["name"], *(f"{sink[key]:,}" for key in keys), f"{sum(sink['lost'].values()):,}"]
                    for sink in status["sinks"]
                ),
            ],
            right=(1, 2, 3, 4, 5),
        )
    if (store := status["store"]) is not None:
        page.heading("Store")
        lost = sum(store["lost"].values())
        page.text(
            f"{plural(store['written'], 'event')} written, {store['waiting']:,} waiting, {lost:,} lost; "
            f"{size_text(store['used'])}, {plural(store['pruned'], 'row')} let go"
        )
    print(page, end="")
