"""`auditor whatif`: the same traffic under other rules."""

from typing import Annotated

from auditor import outputs
from auditor.cli._change import FailOn, Format, Output
from auditor.cli._option import Argument, Option
from auditor.errors import AuditorError

SHOWN = 50  # flows; --format json has all


def run(
    inputs: Annotated[
        tuple[str, ...],
        Argument("Capture file, folder or glob; or flows that were stored as Parquet.", "CAPTURE|FLOWS"),
    ],
    *,
    pack: Annotated[
        tuple[str, ...], Option("New rules: this pack; default: all, or those of the site.", "ID|FILE")
    ] = (),
    site: Annotated[str | None, Option("New rules: this site file.", "FILE")] = None,
    old_pack: Annotated[tuple[str, ...], Option("Old rules: this pack; default: all shipped.", "ID|FILE")] = (),
    old_site: Annotated[str | None, Option("Old rules: this site file; default: none.", "FILE")] = None,
    as_of: Annotated[str | None, Option("The day on which waivers are judged; default: today.", "DATE")] = None,
    fail_on: FailOn = "medium",
    format: Format = None,
    output: Output = (),
) -> int:
    """Judge traffic by other rules, without a new capture.

    Says which flows are named or objected to otherwise and which findings come or go when the packs or the site
    change. Flows stored by `auditor flows -o flows.parquet` are judged again in seconds; what cannot be, since it
    was not read of the captures then, is said. Exit code 0: better or the same, 1: worse, 3: inconclusive.

    Example:
      auditor whatif monday.pcapng --site new-site.yaml --old-site site.yaml
      auditor whatif flows.parquet --pack new-pack.yaml --old-pack drbackup
    """
    from auditor.comparisonformats import SUFFIXES

    if not (pack or site or old_pack or old_site):
        raise AuditorError(
            "no rules are given that could differ",
            help="expected --pack or --site.\nExample:\n  auditor whatif monday.pcapng --site new-site.yaml",
        )
    targets = outputs.plan(output, format, lambda _: SUFFIXES, inputs=inputs)
    import json

    from auditor.cli.audit import day_of
    from auditor.severity import Severity
    from auditor.whatif import Rules, what_if

    found = what_if(
        inputs, Rules(pack, site), Rules(old_pack, old_site), as_of=day_of(as_of), fail_on=Severity[fail_on.upper()]
    )
    for target in targets:
        with target.open() as stream:
            if target.format == "json":
                json.dump(found.to_dict(), stream, indent=1, allow_nan=False)
                stream.write("\n")
            else:
                from auditor.whatifformats import write_table

                write_table(found, stream)
    return found.exit_code
