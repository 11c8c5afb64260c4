"""Flows stored in Parquet with all that judging them needs: they can be judged again in seconds, without the capture.

A row is a row of the flow table: the contract's columns, and the engine's own under `engine_…`, from which the table is
made. What belongs to no row (events and samples of payload, packets that ICMP errors quote, the captures' health, what
was listened for) stands in the file's metadata. Secrets are in none of it: the engine hands out none.

Needs pyarrow (the extra `parquet`).
"""

from __future__ import annotations

import base64
import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from auditor.batches import TYPES
from auditor.errors import AuditorError
from auditor.severity import Severity
from auditor.wishes import Listening, listening

if TYPE_CHECKING:
    from auditor.batches import Labelled
    from auditor.flow import Flows
    from auditor.health import Health
    from auditor.result import Audit
    from auditor.rulepack import EnabledPack
    from auditor.scan import Progress, ScanOptions
    from auditor.site import Site

FORMAT = "auditor.flows/1"
KEY = b"auditor"  # of the metadata
PREFIX = "engine_"
MAGIC = b"PAR1"
# Made into plain values at a time, two kilobytes each, and written as a row group of the file.
ROWS_AT_A_TIME = 1 << 15
WORDS = ("protocol", "initiator_basis", "state", "tunnel", "capture", "vendor", "service", "role", "role_basis")


@dataclass(frozen=True)
class StoredScan:
    """What a scan of the captures said beside the flows."""

    batches: list[dict[str, bytes]]
    captures: list[dict[str, Any]]
    totals: dict[str, Any]
    port_scans: list[tuple[int, int]]
    processes: list[str]
    events: dict[str, Any]
    samples: dict[str, bytes]
    quotes: dict[str, bytes]
    listening: Listening
    packs: list[str]  # by which the table's vendors and roles are named

    def health(self) -> Health:
        """The health of the captures."""
        from auditor.health import health_of

        return health_of(self.captures, self.totals)


def is_store(path: str | Path) -> bool:
    """Whether the file is Parquet."""
    try:
        with open(path, "rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def store_flows(
    captures: Sequence[str],
    output: str | Path,
    *,
    packs: Sequence[str] = (),
    site: str | Path | None = None,
    reading: ScanOptions | None = None,
    progress: Progress | None = None,
) -> Health:
    """Write all flows of captures, read as `reading` says, to a Parquet file; what was lost. Raises: AuditorError."""
    from auditor.errors import CaptureError
    from auditor.events import events_of
    from auditor.health import health_of
    from auditor.judging import joined
    from auditor.rulepack import enable
    from auditor.scan import audit_options, open_scan
    from auditor.site import Site, load_site
    from auditor.sources import resolve

    arrow, parquet = _pyarrow()
    known = load_site(site, packs) if site is not None else None
    enabled, place = enable(known, packs), known or Site()
    options = audit_options(enabled, place, all_flows=True, reading=reading)
    scan = open_scan(resolve(captures), options)
    batches = []
    while (batch := scan.next_batch(progress)) is not None:
        if batch.wanted:
            batches.append(batch.columns())
    if all(capture["error"] and not capture["packets"] for capture in scan.captures):
        raise CaptureError("\n".join(f"{capture['path']}: {capture['error']}" for capture in scan.captures))
    from auditor.batches import labelled

    rows = joined(batches)
    del batches
    named = labelled(rows, events_of(scan.events), enabled, place)
    rest = {
        "format": FORMAT,
        "captures": scan.captures,
        "totals": scan.totals,
        "port_scans": scan.port_scans,
        "processes": scan.processes,
        "events": scan.events,
        "samples": scan.samples,
        "quotes": scan.quotes,
        "listening": options.listening._asdict() if options.listening is not None else {},
        "packs": [pack.id for pack in enabled],
    }
    packed = zlib.compress(json.dumps(rest, default=_encoded).encode())
    beside = f"{output}.{os.getpid()}.part"
    tables = _tables(arrow, rows, named, [str(one["path"]) for one in scan.captures])
    first = next(tables)
    try:
        with parquet.ParquetWriter(beside, first.schema.with_metadata({KEY: packed}), compression="zstd") as writer:
            for table in chain([first], tables):
                writer.write_table(table)
        os.replace(beside, output)
    finally:
        with suppress(OSError):
            os.unlink(beside)
    return health_of(scan.captures, scan.totals)


def _tables(arrow: Any, rows: Flows, named: Labelled, captures: Sequence[str]) -> Iterator[Any]:
    """The stored columns, some rows at a time; at least one table, which may have none."""
    from auditor.flowtable import columns

    def instants(times_ns: np.ndarray[Any, Any]) -> Any:
        return arrow.array(times_ns.astype("datetime64[ns]"), type=arrow.timestamp("ns", tz="UTC"))

    for first in range(0, max(len(rows), 1), ROWS_AT_A_TIME):
        some = np.arange(first, min(first + ROWS_AT_A_TIME, len(rows)))
        kept = rows[some]
        shown: dict[str, Any] = columns(named.flows[some], named.labels, captures, instants)
        for name in WORDS:
            shown[name] = arrow.array(shown[name], type=arrow.string()).dictionary_encode()
        shown["vlan"] = arrow.array(shown["vlan"], type=arrow.list_(arrow.uint16()))
        shown["syn_frame"] = arrow.array(shown["syn_frame"], type=arrow.int64())
        for name in ("client_ip", "server_ip"):
            shown[name] = arrow.array(shown[name], type=arrow.string())
        yield arrow.table({**shown, **{PREFIX + name: _arrow(arrow, name, getattr(kept, name)) for name in TYPES}})


def load_flows(path: str | Path) -> StoredScan:
    """The stored scan. Raises: AuditorError if the file holds none."""
    _, parquet = _pyarrow()
    try:
        metadata = parquet.read_schema(path).metadata or {}
        if KEY not in metadata:
            raise AuditorError(
                f"{path}: is Parquet, but no flow table of ours",
                help="auditor flows CAPTURE -o flows.parquet writes one",
            )
        rest = json.loads(zlib.decompress(metadata[KEY]), object_hook=_decoded)
        if rest["format"] != FORMAT:
            raise AuditorError(f"{path}: its format is {rest['format']!r}, expected {FORMAT!r}")
        return _stored(rest, parquet.read_table(path, columns=[PREFIX + name for name in TYPES]))
    # pyarrow's errors are ValueErrors and OSErrors
    except (OSError, ValueError, KeyError, TypeError, zlib.error) as error:
        what = f"its {error} is missing" if isinstance(error, KeyError) else error
        raise AuditorError(f"{path}: is no flow table that can be read: {what}") from None


def _stored(rest: Mapping[str, Any], table: Any) -> StoredScan:
    """The scan of a file's metadata and columns. Raises: KeyError, TypeError, ValueError where something is missing."""
    columns = {name: _bytes(name, table.column(PREFIX + name)) for name in TYPES}
    heard = rest["listening"]
    return StoredScan(
        batches=[columns] if table.num_rows else [],
        captures=rest["captures"],
        totals=rest["totals"],
        port_scans=[(first, second) for first, second in rest["port_scans"]],
        processes=rest["processes"],
        events=rest["events"],
        samples=rest["samples"],
        quotes=rest["quotes"],
        listening=Listening(
            tuple((int(port), str(kind)) for port, kind in heard["conversations"]),
            tuple((int(first), int(last)) for first, last in heard["samples"]),
            tuple(heard["names"]),
        ),
        packs=list(rest["packs"]),
    )


def judge_stored(
    stored: StoredScan,
    *,
    packs: Sequence[str | Path] = (),
    site: Site | str | Path | None = None,
    as_of: date | None = None,
    fail_on: Severity | str = Severity.MEDIUM,
) -> Audit:
    """The audit of stored flows by these rules: as of the captures themselves, but for what `unheard` names."""
    from auditor.judging import judge
    from auditor.result import Audit
    from auditor.rulepack import enable
    from auditor.site import Site, load_site

    chosen = [str(pack) for pack in packs]
    given = site if site is None or isinstance(site, Site) else load_site(site, chosen)
    enabled = enable(given, chosen)
    health = stored.health()
    day = as_of or datetime.now(UTC).astimezone().date()
    return Audit(
        health=health,
        enabled_packs=enabled,
        site_given=given,
        judged=judge(stored.batches, stored, health, enabled, given or Site(), day),
        all_flows=True,
        fail_on=Severity[fail_on.upper()] if isinstance(fail_on, str) else fail_on,
    )


def unheard(stored: StoredScan, packs: Sequence[EnabledPack], site: Site) -> list[str]:
    """What these rules would listen for and the scan did not: checks that rest on it cannot be judged again."""
    wanted, heard = listening(packs, site), stored.listening
    known = dict(heard.conversations)
    lacking = [f"{kind} on TCP port {port}" for port, kind in wanted.conversations if known.get(port) != kind]
    sentences = []
    if lacking:
        sentences.append(f"payload was not read as {', '.join(lacking)}: what is said there is not known")
    if any(not _covered(interval, heard.samples) for interval in wanted.samples):
        sentences.append("payload of some of the networks was not sampled: unencrypted-payload cannot judge it")
    names = sorted(set(wanted.names) - set(heard.names))
    if names:
        sentences.append(f"answers for {', '.join(names)} were not read: hostname-resolves-outside cannot judge them")
    return sentences


def _covered(interval: tuple[int, int], ranges: Sequence[tuple[int, int]]) -> bool:
    """Whether sorted disjoint ranges hold all of the interval."""
    at, last = interval
    for first, end in ranges:
        if first <= at <= end:
            at = end + 1
        if at > last:
            return True
    return False


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise AuditorError(
            "Parquet needs pyarrow, which is not installed", help="pip install 'auditor[parquet]'"
        ) from None
    return pyarrow, pyarrow.parquet


def _arrow(arrow: Any, name: str, column: np.ndarray[Any, Any]) -> Any:
    """A column of the engine: numbers as numbers, bytes as binary of one width."""
    kind = TYPES[name]
    if kind[0] in "SV":
        return arrow.FixedSizeBinaryArray.from_buffers(
            arrow.binary(int(kind[1:])), len(column), [None, arrow.py_buffer(np.ascontiguousarray(column).tobytes())]
        )
    return arrow.array(column)


def _bytes(name: str, column: Any) -> bytes:
    """A column as the engine hands it out."""
    kind = TYPES[name]
    array = column.combine_chunks()
    if kind[0] in "SV":
        width = array.type.byte_width
        return bytes(array.buffers()[1][array.offset * width : (array.offset + len(array)) * width])
    return bytes(array.to_numpy().astype(kind).tobytes())


def _encoded(value: object) -> object:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode("ascii")}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be stored")


def _decoded(value: dict[str, Any]) -> Any:
    return base64.b64decode(value["base64"]) if value.keys() == {"base64"} else value
