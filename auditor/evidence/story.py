"""One finding as a short story: what the vendor publishes, what happened, packet by packet, what would make it pass."""

from __future__ import annotations

import inspect
import os
import re
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from auditor.evidence.choice import finding_of
from auditor.formats import time_text
from auditor.layout import Page, plural
from auditor.rulepack import RulePack, load_pack, shipped_packs
from auditor.scan import ScanOptions
from auditor.terminal import BOLD, DIM

if TYPE_CHECKING:
    from auditor.evidence.dissection import Line
    from auditor.reporttypes import Document, EvidenceEntry, FindingEntry, FlowEntry
    from auditor.terminal import Screen

FLOW_PACKETS = 16  # of each flow, from its first on
FLOWS_TOLD = 5  # flows of a finding that are told; they are alike
PACKETS_TOLD = 60
NUMBER = re.compile(r"frame (\d+) of ")

LETTERS = {
    "S": "SYN",
    "H": "SYN-ACK",
    "A": "ACK",
    "D": "data",
    "F": "FIN",
    "R": "RST",
    "C": "bad checksum",
    "G": "gap",
    "T": "retransmission",
    "W": "window of zero",
    "I": "FIN with RST",
    "Q": "SYN with FIN or RST",
}


class Told(NamedTuple):
    """A packet of the story."""

    frame: str
    time: str
    words: str
    named: bool  # the finding's evidence names it


def story(
    id: str,
    report: Document,
    captures: Sequence[str],
    screen: Screen,
    packs: Sequence[str] = (),
    reading: ScanOptions = ScanOptions(),  # noqa: B008  # a record that nobody changes
) -> tuple[str, list[str]]:
    """The story of the finding with this id, and what could not be told, a sentence each.

    `reading`: how the report's audit read the captures. Raises: AuditorError.
    """
    finding = finding_of(report["findings"], id)
    known = [*shipped_packs(), *(load_pack(pack) for pack in packs)]
    page = Page(screen)
    page.text(f"{finding['severity'].upper()} {finding['check']}: {finding['title']}", BOLD, indent=0)
    page.text(f"finding {finding['id']}, {finding['certainty']}, {finding['outcome']}", DIM)
    page.heading("What is published")
    _published(page, finding, known)
    page.heading("What happened")
    _happened(page, finding, report)
    notes: list[str] = []
    packets = _packets(finding, captures, reading, notes)
    if packets:
        page.heading("Packet by packet")
        page.table(
            [[told.frame, told.time, told.words + ("  ← evidence" if told.named else "")] for told in packets], (0,)
        )
    page.heading("What would make it pass")
    _remedy(page, finding)
    return str(page), notes


def _published(page: Page, finding: FindingEntry, packs: Sequence[RulePack]) -> None:
    said = False
    for pack in packs:
        if pack.id not in (finding["vendor"] or "").split("|") or not finding["statement"]:
            continue
        statement = pack.statement(finding["statement"])
        if statement is None:
            continue
        said = True
        page.text(f"{pack.title} ({pack.id} {pack.version}): {statement.what}")
        page.text(f"statement {statement.id}, {pack.source.document}, {statement.section}", DIM, indent=4)
    if not said:
        page.text("no vendor's statement: it breaks what the site says, or what any firewall is there for")


def _happened(page: Page, finding: FindingEntry, report: Document) -> None:
    page.text(finding["message"])
    count = finding["count"]
    if finding["first_seen"]:
        times = "once" if count == 1 else f"{count:,} times"
        first, last = (str(time)[:19].replace("T", " ") for time in (finding["first_seen"], finding["last_seen"]))
        page.text(f"{times}, from {first} to {last[11:] if last[:10] == first[:10] else last} UTC")
    if finding["via"]:
        page.text(f"through {finding['via']}")
    if finding["waiver"]:
        state = "expired, so it waives no more" if finding["waiver"]["expired"] else "so it does not count"
        page.text(f"the site waives it ({finding['waiver']['reason']}): {state}")
    flows = [flow for flow in report["flows"] if flow["flow_id"] in finding["flow_ids"]]
    for flow in flows[:FLOWS_TOLD]:
        page.text(_flow(flow), indent=4)
    if len(flows) > FLOWS_TOLD:
        page.text(f"and {plural(len(flows) - FLOWS_TOLD, 'flow')} more", indent=4)
    page.text(f"Wireshark: {finding['display_filter']}" if finding["display_filter"] else "")


def _flow(flow: FlowEntry) -> str:
    """A flow in words, from what Zeek's letters say: upper case is the initiator's."""
    ends = f"{flow['initiator_ip']}:{flow['initiator_port']} → {flow['responder_ip']}:{flow['responder_port']}"
    spoken = []
    for who, is_theirs in (("initiator", str.isupper), ("responder", str.islower)):
        letters = [letter.upper() for letter in flow["history"] if is_theirs(letter)]
        words = [LETTERS[letter] for letter in letters if letter in LETTERS]
        if words:
            spoken.append(f"{who}: {', '.join(words)}")
    amounts = f"{flow['packets_forward']:,} packets there, {flow['packets_reverse']:,} back"
    return f"{ends}/{flow['protocol']}, {amounts}, state {flow['state'] or 'none'}" + (
        f" ({'; '.join(spoken)})" if spoken else ""
    )


def _packets(finding: FindingEntry, captures: Sequence[str], reading: ScanOptions, notes: list[str]) -> list[Told]:
    """The first packets of the finding's flows in tshark's words; without tshark or captures, the evidence alone."""
    evidence = [item for item in finding["evidence"] if item["frame"] is not None]
    times = sorted({item["frame"]: item["timestamp"] for item in evidence}.items())
    plain = [Told(str(frame), _clock(time), "", False) for frame, time in times]
    if not evidence:
        return []
    if not captures:
        notes.append("without captures the packets are not told; give them after the finding's id")
        return plain
    from auditor.evidence.dissection import dissect, tshark

    if tshark() is None:
        notes.append("tshark is not installed, so the packets are not told in its words; it comes with Wireshark")
        return plain
    with tempfile.TemporaryDirectory(prefix="auditor-") as folder:
        path = os.path.join(folder, "story.pcapng")
        _cut_out(finding, captures, reading, path)
        lines = dissect(path)
    if lines is None:
        notes.append("tshark failed, so the packets are not told in its words")
        return plain
    told = [_told(line, evidence) for line in lines]
    if not any(packet.named for packet in told):  # other captures have frames of these numbers too
        notes.append("the captures given hold no packet of this finding; expected those that the report was made from")
        return []
    told = told[:PACKETS_TOLD]
    if len(lines) > PACKETS_TOLD:
        notes.append(f"{len(lines) - PACKETS_TOLD} further packets are not told")
    return told


def _told(line: Line, evidence: Sequence[EvidenceEntry]) -> Told:
    """A packet in tshark's words. It is evidence if its number and its time are."""
    found = NUMBER.search(line.comment)
    number = found.group(1) if found else ""
    seconds, _, rest = line.time.partition(".")
    time = time_text(int(seconds) * 1_000_000_000 + int(rest.ljust(9, "0")[:9]))
    named = any(str(item["frame"]) == number and item["timestamp"] in (time, None) for item in evidence)
    return Told(number, _clock(time), f"{line.protocol} {line.info}", named)


def _cut_out(finding: FindingEntry, captures: Sequence[str], reading: ScanOptions, path: str) -> None:
    """The finding's first flows, as far as they are told, each frame with its number."""
    from auditor import _engine
    from auditor.evidence.extraction import flows_of_clients
    from auditor.evidence.selection import evidence_frames, windows_of
    from auditor.sources import resolve

    paths = resolve(captures)
    wanted = {int(id, 16) for id in finding["flow_ids"][:FLOWS_TOLD]}
    rows = flows_of_clients(paths, [finding], reading=reading) if wanted else None
    windows = [] if rows is None else windows_of(rows, wanted, FLOW_PACKETS)
    frames: list[tuple[str, int, list[str]]] = [
        (path, frame, []) for path, frame, _ in evidence_frames([finding], paths, [""])[:PACKETS_TOLD]
    ]
    _engine.extract(paths, path, flows=windows, frames=frames, numbered=True)


def _remedy(page: Page, finding: FindingEntry) -> None:
    from auditor.judging import all_checks

    if finding["remediation"]:
        page.text(finding["remediation"])
    check = next((one for one in all_checks() if one.id == finding["check"]), None)
    silent = _part(inspect.getdoc(inspect.getmodule(check)) or "", "Stays silent") if check else ""
    if silent:
        page.text(f"The check stays silent on: {silent}")
    ends = {"client": finding["client_ip"], "server": finding["server_ip"]}
    waiver = [f"check: {finding['check']}", *(f"{name}: {address}" for name, address in ends.items() if address)]
    page.text(f"To accept it for a while, in the site file: waivers: [{{{', '.join(waiver)}, reason: …, expires: …}}]")


def _part(documentation: str, heading: str) -> str:
    """One part of a check's documentation as one paragraph."""
    after = documentation.partition(f"{heading}\n")[2]
    lines = []
    for line in after.splitlines():
        if not line.startswith("    "):
            break
        lines.append(line.strip())
    return " ".join(lines)


def _clock(time: str | None) -> str:
    return time[11:26] if time else ""
