"""`auditor audit`: the main job. Captures in, a report and a verdict out."""

from datetime import date
from typing import Annotated

from auditor import outputs, reports
from auditor.cli._option import Argument, Option
from auditor.errors import AuditorError
from auditor.scan import VLAN_MODES

FORMATS = reports.formats()
SEVERITIES = ("info", "low", "medium", "high", "critical")
COLOR = ("auto", "always", "never")


def run(
    captures: Annotated[
        tuple[str, ...], Argument("Capture file, folder, glob, or - for standard input.", "CAPTURE", required=False)
    ] = (),
    *,
    pack: Annotated[
        tuple[str, ...], Option("Audit against this rule pack; default: all, or those of the site.", "ID|FILE")
    ] = (),
    site: Annotated[str | None, Option("Site file (YAML): what your network looks like.", "FILE")] = None,
    format: Annotated[
        str | None,
        Option(
            f"Output format: {', '.join(FORMATS)}. Of several files, of those whose suffix may mean it.",
            "FORMAT",
            FORMATS,
        ),
    ] = None,
    output: Annotated[
        tuple[str, ...], Option("Write there; the suffix names the format. May be repeated.", "FILE", short="-o")
    ] = (),
    inside: Annotated[
        tuple[str, ...], Option("Captured inside of the firewall, instead of CAPTURE; needs --outside.", "CAPTURE")
    ] = (),
    outside: Annotated[
        tuple[str, ...], Option("Captured outside of it at the same time. May be repeated, as --inside.", "CAPTURE")
    ] = (),
    fail_on: Annotated[
        str, Option("Exit with 1 on findings from this severity on; default: medium.", "SEVERITY", SEVERITIES)
    ] = "medium",
    all_flows: Annotated[bool, Option("Report the flows of no vendor too.")] = False,
    as_of: Annotated[str | None, Option("The day on which waivers are judged; default: today.", "DATE")] = None,
    processes: Annotated[
        str | None,
        Option("Which program owned a connection: Sysmon's event 3 as JSON or CSV, or output of ss -tnpi.", "FILE"),
    ] = None,
    hash: Annotated[
        bool, Option("Hash large captures for every format's manifest; JSON's has those up to 16 MiB.")
    ] = False,
    threads: Annotated[
        int | None, Option("At most so many threads read; default: AUDITOR_THREADS, or all cores.", "N")
    ] = None,
    allow_incomplete: Annotated[bool, Option("Exit with 0 where nothing was found in an incomplete capture.")] = False,
    validate_checksums: Annotated[bool, Option("Leave packets with wrong checksums out, as Zeek does.")] = False,
    keep_duplicates: Annotated[bool, Option("Count packets that a mirror port delivered twice as two.")] = False,
    vlan: Annotated[
        str,
        Option("Join the VLANs of a flow: auto (and say so), ignore, strict (keep them apart).", "MODE", VLAN_MODES),
    ] = "auto",
    color: Annotated[str, Option("When to colour: auto, always, never.", "WHEN", COLOR)] = "auto",
) -> int:
    """Audit captures against what the vendors publish.

    Reads every capture, builds flows, and reports where the traffic of backup vendors leaves what
    they published, which promises it kept, and which could not be judged.

    Example:
      auditor audit monday.pcapng
      auditor audit captures/ --site site.yaml -o report.html -o findings.sarif
      tcpdump -w - -c 10000 | auditor audit - --pack drbackup --fail-on high
      auditor audit --inside lan.pcap --outside wan.pcap
    """
    if not (captures or inside or outside):
        raise AuditorError("no CAPTURE is named", help="Example:\n  auditor audit monday.pcapng")
    targets = outputs.plan(
        output, format, reports.suffixes, inputs=(*captures, *inside, *outside), shared=reports.shared_suffixes
    )
    day = day_of(as_of)
    from auditor.cli._progress import Bar
    from auditor.pipeline import audit
    from auditor.terminal import choose_colour

    choose_colour(color)
    hashed = reports.prepare([target.format for target in targets])
    with Bar() as bar:
        report = audit(
            captures,
            packs=pack,
            site=site,
            as_of=day,
            fail_on=fail_on,
            allow_incomplete=allow_incomplete,
            all_flows=all_flows,
            validate_checksums=validate_checksums,
            keep_duplicates=keep_duplicates,
            vlan=vlan,
            inside=inside,
            outside=outside,
            processes=processes,
            hash_inputs=hash or hashed,
            threads=threads,
            progress=bar.update,
        )
    for target in targets:
        with target.open() as stream:
            reports.write(target.format, report, stream)
    return report.exit_code


def day_of(text: str | None) -> date | None:
    """The date that --as-of gives, None for today."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise AuditorError(
            f"--as-of {text}: is no date", help="expected year-month-day, e.g. --as-of 2027-01-31"
        ) from None
