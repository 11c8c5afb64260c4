"""The main path of an audit: captures → engine → flows → classification → checks → findings → coverage → verdict."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from auditor import discovery
from auditor.coverage import Exercise, Judges, coverage_of
from auditor.errors import CaptureError
from auditor.health import Health, health_of
from auditor.result import Audit, Judged
from auditor.rulepack import enable
from auditor.scan import RunningScan, audit_options, open_scan
from auditor.severity import Severity
from auditor.site import Site, load_site
from auditor.sources import resolve
from auditor.traffic import traffic_summary

if TYPE_CHECKING:
    from auditor.rulepack import EnabledPack
    from auditor.scan import Progress


def audit(
    captures: str | Path | Sequence[str | Path],
    *,
    packs: Sequence[str | Path] = (),
    site: Site | str | Path | None = None,
    as_of: date | None = None,
    fail_on: Severity | str = Severity.MEDIUM,
    allow_incomplete: bool = False,
    all_flows: bool = False,
    validate_checksums: bool = False,
    progress: Progress | None = None,
) -> Audit:
    """Audit captures against what vendors publish.

    `captures`: files, folders, globs, "-" for standard input. `packs`: ids or files; none: those that the site lists,
    else all shipped. `site`: a site, or its file. `as_of`: the day on which waivers are judged; None: today.
    `fail_on`: the severity from which on a finding makes the verdict `violations`. `progress` is called with bytes read
    and bytes in all (0: not known).

    Raises: CaptureError where nothing could be read, RulePackError, SiteError.
    """
    words = [captures] if isinstance(captures, str | Path) else captures
    chosen = [str(pack) for pack in packs]
    given = site if site is None or isinstance(site, Site) else load_site(site, chosen)
    enabled = enable(given, chosen)
    place = given or Site()
    options = audit_options(enabled, place, all_flows=all_flows, validate_checksums=validate_checksums)
    scan = open_scan(resolve([str(word) for word in words]), options)
    if scan.wait_for_something():
        from auditor.judging import prepare  # beside the scan

        prepare()
    batches = []
    while (batch := scan.next_batch(progress)) is not None:
        if batch.wanted:
            batches.append(batch.columns())
    health = _health(scan)
    if batches or health.losses():
        from auditor.judging import judge

        judged = judge(batches, scan, health, enabled, place, as_of or _today())
    else:
        judged = _judge_nothing(enabled, scan, health)
    return Audit(
        health=health,
        enabled_packs=enabled,
        site_given=given,
        judged=judged,
        all_flows=all_flows,
        fail_on=Severity[fail_on.upper()] if isinstance(fail_on, str) else fail_on,
        allow_incomplete=allow_incomplete,
    )


def _today() -> date:
    """Today at the place of whoever asks: a waiver's date is a day of theirs."""
    return datetime.now().astimezone().date()


def _judge_nothing(enabled: Sequence[EnabledPack], scan: RunningScan, health: Health) -> Judged:
    """The judgement where no check has anything to look at."""
    judges = Judges(discovery.ids("auditor.checks"))
    return Judged(traffic_summary(None, scan.totals), coverage=coverage_of(enabled, judges, [], Exercise(), health))


def _health(scan: RunningScan) -> Health:
    """Raises: CaptureError if no capture could be read at all."""
    if scan.captures and all(capture["error"] and not capture["packets"] for capture in scan.captures):
        raise CaptureError("\n".join(f"{capture['path']}: {capture['error']}" for capture in scan.captures))
    return health_of(scan.captures, scan.totals)
