"""`auditor extract`: the packets of findings, as a capture of their own."""

from collections.abc import Sequence
from typing import Annotated

from auditor import outputs
from auditor.cli._option import Argument, Option
from auditor.cli.audit import day_of
from auditor.errors import AuditorError
from auditor.scan import VLAN_MODES

LOST = 3
SUFFIXES = {"pcapng": (".pcapng",), "bundle": (".zip",)}


def check_ids() -> Sequence[str]:
    """Ids of all checks, for the shell's completion."""
    from auditor import discovery

    return discovery.ids("auditor.checks")


def run(
    captures: Annotated[tuple[str, ...], Argument("Capture file, folder or glob.", "CAPTURE", required=False)] = (),
    *,
    output: Annotated[str, Option("Write there: a .pcapng, or a .zip with reports and checksums.", "FILE", short="-o")],
    report: Annotated[str | None, Option("JSON report of an earlier audit of these captures.", "FILE")] = None,
    finding: Annotated[tuple[str, ...], Option("Id of a finding, or how it begins. May be repeated.", "ID")] = (),
    check: Annotated[
        tuple[str, ...], Option("All findings of this check. May be repeated.", "CHECK", complete=check_ids)
    ] = (),
    pack: Annotated[tuple[str, ...], Option("Audit against this rule pack; default: as audit.", "ID|FILE")] = (),
    site: Annotated[str | None, Option("Site file (YAML): what your network looks like.", "FILE")] = None,
    inside: Annotated[
        tuple[str, ...], Option("Captured inside of the firewall, instead of CAPTURE; needs --outside.", "CAPTURE")
    ] = (),
    outside: Annotated[
        tuple[str, ...], Option("Captured outside of it: copied to a file of its own beside the inside's.", "CAPTURE")
    ] = (),
    processes: Annotated[
        str | None, Option("Which program owned a connection, as for audit; an extract does not hold it.", "FILE")
    ] = None,
    as_of: Annotated[str | None, Option("The day on which waivers are judged, as for audit.", "DATE")] = None,
    validate_checksums: Annotated[
        bool, Option("Leave packets with wrong checksums out, as for audit; all are copied anyway.")
    ] = False,
    keep_duplicates: Annotated[
        bool, Option("Packets that a mirror port delivered twice are two, as for audit; all are copied anyway.")
    ] = False,
    vlan: Annotated[
        str,
        Option("Join the VLANs of a flow, as for audit: auto, ignore, strict (keep them apart).", "MODE", VLAN_MODES),
    ] = "auto",
    evidence_only: Annotated[bool, Option("Only the frames that findings name, instead of whole flows.")] = False,
    headers_only: Annotated[bool, Option("Cut frames behind their headers.")] = False,
    anonymise: Annotated[
        bool, Option("Change addresses, prefixes preserved; what vendors publish stays, payload goes.")
    ] = False,
    keep_payload: Annotated[
        bool, Option("With --anonymise: keep payload, and whatever names and addresses it holds.")
    ] = False,
    keep: Annotated[
        tuple[str, ...], Option("With --anonymise: this network stays as well. May be repeated.", "NETWORK")
    ] = (),
    key: Annotated[
        str | None, Option("With --anonymise: a file with the key, 32 bytes; the same key maps alike.", "FILE")
    ] = None,
) -> int:
    """Copy the packets of findings into a pcapng.

    Bytes, times and interfaces stay as they are; frames that a finding names carry a comment, which Wireshark shows.
    Beside the findings' flows there are the client's other flows with the vendor, as far as the judgement needs
    them. The copy is audited: exit code 0 if it shows the same findings, 3 if it lacks some, which are named.

    Example:
      auditor extract monday.pcapng -o findings.pcapng
      auditor extract monday.pcapng --report report.json --finding 5d1c0f -o evidence.zip
      auditor extract monday.pcapng --check udp-use --anonymise -o for-the-vendor.pcapng
      auditor extract --inside lan.pcap --outside wan.pcap -o evidence.zip
    """
    _check_options(anonymise, headers_only=headers_only, keep_payload=keep_payload, keep=keep, key=key)
    if not output.endswith((".pcapng", ".zip")):
        raise AuditorError(f"-o {output}: expected a file name that ends in .pcapng, or in .zip for a bundle")
    if not (captures or inside or outside):
        raise AuditorError("no CAPTURE is named", help="Example:\n  auditor extract monday.pcapng -o findings.pcapng")
    from auditor.evidence.sides import outputs_of

    files = outputs_of(output) if outside and output.endswith(".pcapng") else (output,)
    inputs = [*captures, *inside, *outside, *([report] if report else []), *([processes] if processes else [])]
    targets = outputs.plan(files, None, lambda _: SUFFIXES, inputs=inputs)
    from auditor.evidence.anonymity import read_key
    from auditor.evidence.bundle import write_bundle
    from auditor.evidence.extraction import extract
    from auditor.reportfile import load_report

    write = write_bundle if targets[0].format == "bundle" else extract
    with outputs.at(output):
        done = write(
            captures,
            output,
            report=load_report(report) if report else None,
            findings=finding,
            checks=check,
            packs=pack,
            site=site,
            inside=inside,
            outside=outside,
            processes=processes,
            as_of=day_of(as_of),
            validate_checksums=validate_checksums,
            keep_duplicates=keep_duplicates,
            vlan=vlan,
            evidence_only=evidence_only,
            headers_only=headers_only,
            anonymise=anonymise,
            keep_payload=keep_payload,
            keep=keep,
            key=read_key(key) if key else b"",
        )
    from auditor.layout import plural, size

    what = f"{plural(done.frames, 'frame')} ({size(done.bytes)}) of {plural(len(done.findings), 'finding')}"
    context = f"; {plural(done.context, 'flow')} as context" if done.context else ""
    written = " and ".join(target.path for target in targets)
    print(f"{written}: {what}, {plural(done.comments, 'comment')}{context}")
    if done.blanked:
        outputs.say(f"{plural(done.blanked, 'frame')} kept no byte: no layer of theirs is known here")
    if evidence_only:  # single frames are no sessions, and nobody expects the findings of them
        return 0
    for lost in done.lost:
        outputs.say(f"not in the copy: {lost['check']} {lost['id']}: {lost['message']}")
    if done.lost:
        outputs.say(
            f"an audit of {written} lacks {plural(len(done.lost), 'finding')}" + _reason(headers_only, anonymise)
        )
    return LOST if done.lost else 0


def _check_options(
    anonymise: bool, *, headers_only: bool, keep_payload: bool, keep: Sequence[str], key: str | None
) -> None:
    """Raises: AuditorError for options that say nothing without others, or contradict each other."""
    alone = [("--keep-payload", keep_payload), ("--keep", keep), ("--key", key)]
    for name, given in alone:
        if given and not anonymise:
            raise AuditorError(f"{name} says how to anonymise; expected --anonymise beside it")
    if keep_payload and headers_only:
        raise AuditorError("--keep-payload and --headers-only exclude each other")


def _reason(headers_only: bool, anonymise: bool) -> str:
    if headers_only or anonymise:
        return ": what rests on payload, programs or addresses of the site does not show without them"
    return ": they rest on traffic that is not theirs"
