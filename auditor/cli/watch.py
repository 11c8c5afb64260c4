"""`auditor watch`: the same judgement as it happens, on interfaces."""

from typing import Annotated

from auditor import outputs, reports
from auditor.cli._option import Option
from auditor.errors import AuditorError
from auditor.scan import VLAN_MODES

FORMATS = reports.formats()
SEVERITIES = ("info", "low", "medium", "high", "critical")
COLOR = ("auto", "always", "never")
SOURCES = ("auto", "kernel", "scapy")
UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def run(
    *,
    interface: Annotated[
        tuple[str, ...],
        Option("Interface to watch; - is a capture on standard input. May be repeated.", "INTERFACE", short="-i"),
    ] = (),
    pack: Annotated[
        tuple[str, ...], Option("Audit against this rule pack; default: all, or those of the site.", "ID|FILE")
    ] = (),
    site: Annotated[str | None, Option("Site file (YAML): what your network looks like.", "FILE")] = None,
    duration: Annotated[str | None, Option("End after so long: 60s, 30m, 8h, 7d.", "TIME")] = None,
    events: Annotated[
        str | None, Option("Append findings and health as JSON lines there; default: standard output.", "FILE|-")
    ] = None,
    config: Annotated[
        str | None, Option("Do what this file says (YAML): interfaces, windows, store, sinks, metrics.", "FILE")
    ] = None,
    check: Annotated[bool, Option("Only try what --config says: permissions, interfaces, sinks, store.")] = False,
    store: Annotated[
        str | None, Option("Keep findings and health there: a file, or postgresql://USER@HOST/DATABASE.", "URL")
    ] = None,
    output: Annotated[
        tuple[str, ...], Option("Write the report there at the end; the suffix names the format.", "FILE", short="-o")
    ] = (),
    format: Annotated[str | None, Option(f"Format of the report: {', '.join(FORMATS)}.", "FORMAT", FORMATS)] = None,
    evidence: Annotated[
        str | None, Option("Keep each finding's first packets as pcapng in this folder.", "DIR")
    ] = None,
    fail_on: Annotated[
        str, Option("Exit with 1 on findings from this severity on; default: medium.", "SEVERITY", SEVERITIES)
    ] = "medium",
    allow_incomplete: Annotated[bool, Option("Exit with 0 where nothing was found in an incomplete capture.")] = False,
    source: Annotated[
        str,
        Option(
            "Who reads interfaces: kernel (Linux), scapy (anywhere, slower); auto: kernel where it can.", "WHO", SOURCES
        ),
    ] = "auto",
    kernel_filter: Annotated[
        bool, Option("Let the kernel turn away traffic that concerns nobody; it is then not counted as `other`.")
    ] = False,
    keep_duplicates: Annotated[bool, Option("Count packets that a mirror port delivered twice as two.")] = False,
    vlan: Annotated[
        str,
        Option("Join the VLANs of a flow: auto (and say so), ignore, strict (keep them apart).", "MODE", VLAN_MODES),
    ] = "auto",
    color: Annotated[str, Option("When to colour: auto, always, never.", "WHEN", COLOR)] = "auto",
) -> int:
    """Watch interfaces and report findings as they arise.

    Writes a line of JSON for each finding that is opened, updated or closed, and for the health of the capture every
    ten seconds; at the end, which SIGINT and SIGTERM bring about, the same report as `audit`.

    Example:
      auditor watch -i eth1 --site site.yaml --duration 8h -o night.json
      dumpcap -q -i eth1 -w - | auditor watch -i - --events findings.jsonl
      auditor watch --config monitor.yaml --check
    """
    if config is not None or check:
        from auditor.cli import _monitor

        beside = {
            "-i": interface,
            "--pack": pack,
            "--site": site,
            "--events": events,
            "--store": store,
            "-o": output,
            "--format": format,
            "--evidence": evidence,
            "--fail-on": fail_on if fail_on != "medium" else None,
            "--allow-incomplete": allow_incomplete,
            "--source": source if source != "auto" else None,
            "--kernel-filter": kernel_filter,
            "--keep-duplicates": keep_duplicates,
            "--vlan": vlan if vlan != "auto" else None,
        }
        return _monitor.run_config(config, check, beside, None if duration is None else _seconds(duration))
    if not interface:
        from auditor.watch.permission import interfaces

        raise AuditorError("no interface is named", help=f"name one with -i; there are: {', '.join(interfaces())}")
    seconds = None if duration is None else _seconds(duration)
    targets = outputs.plan(output, format, reports.suffixes, inputs=()) if output or format else []
    if store is not None:
        from auditor.cli import _monitor

        chosen = _monitor.Chosen(
            interfaces=interface,
            packs=pack,
            site=site,
            fail_on=fail_on,
            allow_incomplete=allow_incomplete,
            source=source,
            kernel_filter=kernel_filter,
            keep_duplicates=keep_duplicates,
            vlan=vlan,
            evidence=evidence,
            events=events or outputs.STDOUT,
        )
        return _monitor.run_store(store, chosen, seconds, targets)
    if format is None and not output and events not in (None, outputs.STDOUT):
        targets = outputs.plan((), None, reports.suffixes, inputs=())  # the events are elsewhere
    from auditor.cli._events import event_lines
    from auditor.cli._signals import stopping
    from auditor.request import Request
    from auditor.rulepack import enable
    from auditor.severity import Severity
    from auditor.site import load_site
    from auditor.terminal import choose_colour
    from auditor.watch import Options, Watch
    from auditor.watch.permission import give_up_privileges

    choose_colour(color)
    folder = None
    if evidence is not None:
        from pathlib import Path

        folder = Path(evidence)
    reports.prepare(target.format for target in targets)
    given = None if site is None else load_site(site, list(pack))
    options = Options(
        fail_on=Severity[fail_on.upper()],
        allow_incomplete=allow_incomplete,
        source=source,
        kernel_filter=kernel_filter,
        keep_duplicates=keep_duplicates,
        vlan=vlan,
        evidence=folder,
    )
    with event_lines(events or outputs.STDOUT) as publish:
        packs, request = enable(given, list(pack)), Request(packs=pack, site=site)
        watch = Watch(interface, packs, given, options, request=request, publish=publish)
        give_up_privileges()
        with stopping(watch.stop):
            watch.run(seconds)
        report = watch.report()
    for target in targets:
        with target.open() as stream:
            reports.write(target.format, report, stream)
    return report.exit_code


def _seconds(text: str) -> float:
    """Seconds of a duration such as 90s, 30m, 8h or 7d."""
    number, unit = (text[:-1], text[-1:]) if text[-1:] in UNITS else (text, "s")
    if number.isascii() and number.isdecimal() and int(number) > 0:
        return float(int(number) * UNITS[unit])
    raise AuditorError(f"--duration {text}: is no time", help="expected a whole number and s, m, h or d, e.g. 8h")
