"""`auditor flows`: the flow table of captures, one row per flow."""

from collections.abc import Sequence
from typing import Annotated

from auditor import outputs
from auditor.cli._option import Argument, Option
from auditor.errors import AuditorError
from auditor.scan import VLAN_MODES, ScanOptions

FORMATS = ("csv", "json", "jsonl", "parquet", "table")
INCOMPLETE = 3
STORED = "parquet"  # judged again by `auditor whatif`


def run(
    captures: Annotated[tuple[str, ...], Argument("Capture file, folder, glob, or - for standard input.", "CAPTURE")],
    *,
    pack: Annotated[tuple[str, ...], Option("Name traffic by this rule pack; default: all.", "ID|FILE")] = (),
    site: Annotated[str | None, Option("Site file (YAML): what your network looks like.", "FILE")] = None,
    format: Annotated[str | None, Option(f"Output format: {', '.join(FORMATS)}.", "FORMAT", FORMATS)] = None,
    output: Annotated[
        tuple[str, ...], Option("Write there; the suffix names the format. May be repeated.", "FILE", short="-o")
    ] = (),
    validate_checksums: Annotated[bool, Option("Leave packets with wrong checksums out, as Zeek does.")] = False,
    keep_duplicates: Annotated[bool, Option("Count packets that a mirror port delivered twice as two.")] = False,
    vlan: Annotated[
        str,
        Option("Join the VLANs of a flow: auto (and say so), ignore, strict (keep them apart).", "MODE", VLAN_MODES),
    ] = "auto",
) -> int:
    """Write the flow table: one row per flow.

    Columns, states and history letters are Zeek's where Zeek has them. What could not be read is said on
    standard error.

    Example:
      auditor flows monday.pcapng --format csv -o flows.csv
      auditor flows monday.pcapng --format jsonl | jq 'select(.vendor != "")'
      auditor flows monday.pcapng -o flows.parquet
    """
    targets = outputs.plan(output, format, suffixes, inputs=captures)
    reading = ScanOptions(validate_checksums=validate_checksums, keep_duplicates=keep_duplicates, vlan=vlan)
    if any(target.format == STORED for target in targets):
        return _store(targets, captures, pack, site, reading)
    from contextlib import ExitStack

    from auditor.cli._progress import Bar
    from auditor.flowformats import FORMATS
    from auditor.flowlist import FlowList

    formats = [FORMATS[target.format] for target in targets]
    columns = any(format.columns for format in formats)
    flows = FlowList(captures, packs=pack, site=site, columns=columns, reading=reading)
    with ExitStack() as opened:
        tables = [
            format(opened.enter_context(target.open()), flows.paths)
            for format, target in zip(formats, targets, strict=True)
        ]
        with Bar() as bar:
            for part in flows.batches(bar.update):
                for out in tables:
                    out.add(part)
                del part  # before the next one is waited for
        for out in tables:
            out.end()
    losses = flows.losses()
    for line in losses:
        outputs.say(line)
    return INCOMPLETE if losses else 0


def _store(
    targets: "Sequence[outputs.Target]",
    captures: tuple[str, ...],
    pack: tuple[str, ...],
    site: str | None,
    reading: ScanOptions,
) -> int:
    """All that is needed to judge the flows again, in one file."""
    if len(targets) > 1:
        raise AuditorError("Parquet is written alone: it holds more than the table")
    if targets[0].path == outputs.STDOUT:
        raise AuditorError(
            "Parquet is written to a file", help="Example:\n  auditor flows monday.pcapng -o flows.parquet"
        )
    from auditor.cli._progress import Bar
    from auditor.flowstore import store_flows

    with Bar() as bar:
        health = store_flows(
            captures,
            targets[0].path,
            packs=pack,
            site=site,
            reading=reading,
            progress=bar.update,
        )
    from auditor.health import capture_losses

    losses = [line for capture in health.captures for line in capture_losses(capture)]
    for line in losses:
        outputs.say(line)
    return INCOMPLETE if losses else 0


def suffixes(_: str = "") -> dict[str, tuple[str, ...]]:
    """File name endings by format, whatever the file."""
    from auditor.flowformats import FORMATS

    return {**{name: format.suffixes for name, format in FORMATS.items()}, STORED: (".parquet",)}
