"""`auditor watch --config` and `--store`: a watch with something behind it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from auditor import outputs, reports
from auditor.errors import AuditorError

if TYPE_CHECKING:
    from auditor.monitor.config import Loaded
    from auditor.monitor.run import Conductor
    from auditor.outputs import Target

FAILED, INTERRUPTED = 2, 130
OTHERS = 0o007  # the rights of everybody else


class Chosen(NamedTuple):
    """What the command line says of a watch."""

    interfaces: tuple[str, ...]
    packs: tuple[str, ...]
    site: str | None
    fail_on: str
    allow_incomplete: bool
    source: str
    kernel_filter: bool
    keep_duplicates: bool
    vlan: str
    evidence: str | None
    events: str


def run_config(config: str | None, check: bool, beside: Mapping[str, object], seconds: float | None) -> int:
    """Do what a configuration says, or only try it."""
    if config is None:
        raise AuditorError("--check looks at a configuration", help="auditor watch --config monitor.yaml --check")
    if given := [name for name, value in beside.items() if value]:
        raise AuditorError(f"{given[0]}: is given beside --config", help=f"expected it in {config}")
    from auditor.monitor.config import load_monitor

    loaded = load_monitor(config)
    if check:
        return _check(loaded)
    from auditor._engine import __version__
    from auditor.monitor.run import Conductor

    _keep_from_others()
    return _run(Conductor(loaded, __version__, alone=True), seconds, ())


def run_store(store: str, chosen: Chosen, seconds: float | None, targets: Sequence[Target]) -> int:
    """Watch as the command line says, and keep what is told."""
    from auditor._engine import __version__
    from auditor.cli._events import event_lines
    from auditor.monitor.config import Evidence, Loaded, Monitor, StoreSettings, read_store_url
    from auditor.monitor.run import Conductor

    try:
        url = read_store_url(store)
    except ValueError as error:
        help = "PostgreSQL's PGPASSFILE may name a file with the password" if "password" in str(error) else None
        raise AuditorError(f"--store: {error}", help=help) from None
    monitor = Monitor(
        interfaces=chosen.interfaces,
        packs=chosen.packs,
        site=chosen.site,
        fail_on=chosen.fail_on,  # type: ignore[arg-type]  # one of the option's choices
        allow_incomplete=chosen.allow_incomplete,
        source=chosen.source,  # type: ignore[arg-type]  # likewise
        kernel_filter=chosen.kernel_filter,
        keep_duplicates=chosen.keep_duplicates,
        vlan=chosen.vlan,  # type: ignore[arg-type]  # likewise
        evidence=None if chosen.evidence is None else Evidence(folder=chosen.evidence),
        store=StoreSettings(url=url),
    )
    _keep_from_others()
    with event_lines(chosen.events) as publish:
        loaded = Loaded(monitor, os.path.join(os.getcwd(), "command line"))
        return _run(Conductor(loaded, __version__, also=publish, whole=True, alone=True), seconds, targets)


def _keep_from_others() -> None:
    """What is written holds addresses: nobody but owner and group reads any of it, store and reports included."""
    os.umask(os.umask(OTHERS) | OTHERS)


def _run(conductor: Conductor, seconds: float | None, targets: Sequence[Target]) -> int:
    from auditor.monitor.run import signals

    try:
        with signals(conductor):
            report = conductor.run(seconds)
    except KeyboardInterrupt:
        outputs.say("auditor: ended at once, without a report; what sinks and store took until now stays")
        return INTERRUPTED
    for target in targets:
        with target.open() as stream:
            reports.write(target.format, report, stream)
    return report.exit_code


def _check(loaded: Loaded) -> int:
    """A line for each thing that was tried; 2 if one of them failed."""
    from auditor.layout import Page
    from auditor.monitor.check import check
    from auditor.terminal import GREEN, RED, screen_of

    screen = screen_of(sys.stdout)
    tried = check(loaded)
    page = Page(screen)
    page.table([["ok" if one.well else "FAILED", one.what, one.told] for one in tried])
    text = str(page).replace("  FAILED ", "  " + screen.paint("FAILED", RED) + " ")
    print(text.replace("  ok ", "  " + screen.paint("ok", GREEN) + " "), end="")
    for one in tried:
        if one.help:
            outputs.say(f"auditor: {one.what}: {one.help}")
    failed = sum(not one.well for one in tried)
    if failed:
        outputs.say(f"auditor: {failed} of {len(tried)} failed: a watch would not do all that {loaded.file} says")
    return FAILED if failed else 0
