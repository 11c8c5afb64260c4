"""The main path of an audit: captures → engine → flows → classification → checks → findings → coverage → verdict."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from auditor import discovery
from auditor.coverage import Exercise, Judges, coverage_of
from auditor.errors import CaptureError
from auditor.formats import SECOND_NS
from auditor.health import Health, both_sides, health_of
from auditor.request import CAPTURE, INSIDE, OUTSIDE, PROCESSES, Request, input_files
from auditor.result import Audit, Judged
from auditor.rulepack import enable
from auditor.scan import RunningScan, ScanOptions, audit_options, open_scan
from auditor.severity import Severity
from auditor.site import Site, load_site
from auditor.sources import resolve
from auditor.traffic import traffic_summary

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.processes.connection import Connection
    from auditor.rulepack import EnabledPack
    from auditor.scan import Progress

MANY_ROWS = 10_000  # below, what judging took is less than a report takes, and to get it again takes longer


def audit(
    captures: str | Path | Sequence[str | Path] = (),
    *,
    packs: Sequence[str | Path] = (),
    site: Site | str | Path | None = None,
    as_of: date | None = None,
    fail_on: Severity | str = Severity.MEDIUM,
    allow_incomplete: bool = False,
    all_flows: bool = False,
    validate_checksums: bool = False,
    keep_duplicates: bool = False,
    vlan: str = "auto",
    inside: str | Path | Sequence[str | Path] = (),
    outside: str | Path | Sequence[str | Path] = (),
    processes: str | Path | None = None,
    hash_inputs: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Audit captures against what vendors publish.

    `captures`: files, folders, globs, "-" for standard input. `packs`: ids or files; none: those that the site lists,
    else all shipped. `site`: a site, or its file. `as_of`: the day on which waivers are judged; None: today.
    `inside` and `outside`: instead of `captures`, captures of the same time on both sides of a firewall. Judged is what
    the inside shows; the outside tells what became of it, and what the firewall kept out.
    `keep_duplicates`: what a mirror port delivered twice is two packets. `vlan`: "auto" joins packets of different
    VLANs to one flow and says so, "ignore" joins them, "strict" keeps them apart.
    `processes`: a file that tells which program owned a connection. `fail_on`: the severity from which on a finding
    makes the verdict `violations`. `hash_inputs`: hash the inputs beside the scan, for reports that carry the hashes.
    `threads`: at most so many read; None: AUDITOR_THREADS, or one for each core. What is found is the same.
    `progress` is called with bytes read and bytes in all (0: not known).

    Raises: CaptureError where nothing could be read, RulePackError, SiteError.
    """
    near, far = _sides(_files(captures), _files(inside), _files(outside))
    chosen = [str(pack) for pack in packs]
    as_of = as_of or local_day(time.time_ns())
    request = Request(
        inputs=(
            *input_files(near, INSIDE if far else CAPTURE),
            *input_files(far, OUTSIDE),
            *input_files([] if processes is None else [str(processes)], PROCESSES),
        ),
        packs=tuple(chosen),
        site=None if site is None or isinstance(site, Site) else str(site),
        as_of=as_of,
        validate_checksums=validate_checksums,
        keep_duplicates=keep_duplicates,
        vlan=vlan,
    )
    if hash_inputs:
        from auditor import digests

        digests.begin(request.inputs)
    given = site if site is None or isinstance(site, Site) else load_site(site, chosen)
    enabled = enable(given, chosen)
    place = given or Site()
    told = _processes(processes)
    reading = ScanOptions(
        validate_checksums=validate_checksums, keep_duplicates=keep_duplicates, vlan=vlan, threads=threads
    )
    options = audit_options(enabled, place, all_flows=all_flows, reading=reading)
    if far:
        # what is a vendor's on one side may have any address on the other
        options = options._replace(networks=None, ports=(), fingerprints=True)
    scan = open_scan(near, options)
    if scan.wait_for_something(progress):
        from auditor.judging import prepare  # beside the scan

        prepare()
    batches = _columns(scan, progress, fingerprints=bool(far))
    health = _health(scan)
    if far:
        from auditor.judging import Outside, judge

        other = open_scan(far, reading._replace(fingerprints=True))
        outside_batches = _columns(other, progress, fingerprints=True)
        beyond = Outside(outside_batches, _health(other))
        judged = judge(batches, scan, health, enabled, place, as_of, beyond, told)
        health = both_sides(health, beyond.health)
    elif batches or health.losses():
        from auditor.judging import judge

        judged = judge(batches, scan, health, enabled, place, as_of, processes=told)
    else:
        judged = judge_nothing(enabled, scan.totals, health)
    if judged.rows is not None and len(judged.rows.flows) > MANY_ROWS:
        from auditor import _engine

        _engine.give_back_memory()  # what judging took for a while: a report needs other pieces
    return Audit(
        health=health,
        enabled_packs=enabled,
        site_given=given,
        judged=judged,
        all_flows=all_flows,
        fail_on=Severity[fail_on.upper()] if isinstance(fail_on, str) else fail_on,
        allow_incomplete=allow_incomplete,
        request=request,
    )


def _processes(path: str | Path | None) -> Sequence[Connection]:
    """What the file tells, nothing without one. Raises: AuditorError."""
    if path is None:
        return ()
    from auditor.processes.source import load_processes

    return load_processes(path)


def _files(captures: str | Path | Sequence[str | Path]) -> list[str]:
    """The files that are meant."""
    words = [captures] if isinstance(captures, str | os.PathLike) else captures
    return resolve([str(word) for word in words])


def _sides(captures: list[str], inside: list[str], outside: list[str]) -> tuple[list[str], list[str]]:
    """The files to judge, and those of the outside where there are two vantages. Raises: CaptureError."""
    if not inside and not outside:
        if not captures:
            raise CaptureError("no capture", help="expected capture files, or --inside and --outside with some")
        return captures, []
    if captures:
        raise CaptureError(
            f"{captures[0]}: is given beside two vantages", help="expected it after --inside or --outside"
        )
    if not inside or not outside:
        lacking = "--outside" if inside else "--inside"
        raise CaptureError(f"{lacking} is missing", help="two vantages are compared: expected --inside and --outside")
    same = sorted(set(inside) & set(outside))
    if same:
        raise CaptureError(
            f"{same[0]}: is given as inside and as outside", help="expected two captures of the same time"
        )
    return inside, outside


def _columns(scan: RunningScan, progress: Progress | None, *, fingerprints: bool) -> list[dict[str, bytearray]]:
    """The wanted flows, read to the end, as one batch; none where there are none.

    Columns grow as they come: to put batches together at the end would hold each flow twice.
    """
    columns: dict[str, bytearray] = {}
    while (batch := scan.next_batch(progress)) is not None:
        if batch.wanted:
            for name, part in batch.columns(fingerprints=fingerprints).items():
                columns.setdefault(name, bytearray()).extend(part)
        del batch  # its room is for the next one
    return [columns] if columns else []


def local_day(now_ns: int) -> date:
    """The day at the place of whoever asks: a waiver's date is a day of theirs."""
    return datetime.fromtimestamp(now_ns / SECOND_NS).astimezone().date()


def judge_nothing(enabled: Sequence[EnabledPack], totals: Mapping[str, Any], health: Health) -> Judged:
    """The judgement where no check has anything to look at."""
    judges = Judges(discovery.ids("auditor.checks"))
    return Judged(traffic_summary(None, totals), coverage=coverage_of(enabled, judges, [], Exercise(), health))


def _health(scan: RunningScan) -> Health:
    """Raises: CaptureError if no capture could be read at all."""
    if scan.captures and all(capture["error"] and not capture["packets"] for capture in scan.captures):
        raise CaptureError("\n".join(f"{capture['path']}: {capture['error']}" for capture in scan.captures))
    return health_of(scan.captures, scan.totals)
