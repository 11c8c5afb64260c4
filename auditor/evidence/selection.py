"""The flows and frames that show findings, and what else their judgement needs.

A data connection without its control session would be a finding of another kind, and a host of which one direction is
there would be a one-sided capture. So the selection has context beside the findings' own flows: the client's other
flows with the vendor, control sessions whole and of the others the first packets.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from auditor.addresses import parse_address
from auditor.errors import AuditorError
from auditor.flow import TCP, UDP, Flows, Seen
from auditor.health import ONE_SIDED_RATIO

if TYPE_CHECKING:
    from auditor.flow import Bools, Ints, Words
    from auditor.reporttypes import Document, FindingEntry

CONTEXT_PACKETS = 12  # of a flow that is there as context: a handshake, a greeting, who speaks first
CONTEXT_FLOWS = 10_000  # flows that are there as context
WHOLE_ROLES = ("control", "registration", "proxy")  # sessions that tell what others are
EVERY_PACKET = 2**63
# A flow that both ends closed has ended, and what they still say belongs to it all the same: a last ACK.
LINGER_NS = 5_000_000_000

SPEAKING = np.uint16(Seen.ACK | Seen.DATA | Seen.SYN_ACK | Seen.FIN)  # as the engine counts half-seen flows

Flow = tuple[int, int, int, int, int, int, int, int, int]
Frame = tuple[str, int, list[str]]


class Selection(NamedTuple):
    """What the engine is to copy (see `auditor._engine.extract`)."""

    flows: list[Flow]
    frames: list[Frame]
    context: int  # of the flows


def clients(findings: Sequence[FindingEntry]) -> tuple[tuple[int, int], ...]:
    """The findings' clients, as ranges of one address each: the flows of anybody else are not needed.

    Raises: AuditorError for what is no address.
    """
    try:
        numbers = sorted({parse_address(finding["client_ip"]) for finding in findings if finding["client_ip"]})
    except ValueError as error:
        raise AuditorError(f"the client of a finding: {error}") from None
    return tuple((number, number) for number in numbers)


def lacking(rows: Flows, findings: Sequence[FindingEntry]) -> Words:
    """Ids of the findings' flows that are not among the rows."""
    return np.setdiff1d(_ids(findings), rows.flow_id)


def _ids(findings: Sequence[FindingEntry]) -> Words:
    return np.array(sorted({int(id, 16) for finding in findings for id in finding["flow_ids"]}), np.uint64)


class Choice(NamedTuple):
    """Rows of a flow table to copy: masks."""

    own: Bools  # of the findings
    whole: Bools  # to be copied whole: those, and what tells what they are
    brief: Bools  # of which the first packets are enough


def select(findings: Sequence[FindingEntry], report: Document, rows: Flows, frames: list[Frame]) -> Selection:
    """The findings' flows with context, from the flow table's `rows` of their clients, and `frames`.

    Raises: AuditorError where the captures do not hold the findings' flows.
    """
    complete(findings, (rows,))
    return selection_of(rows, choose(findings, report, rows), frames)


def complete(findings: Sequence[FindingEntry], tables: Sequence[Flows]) -> None:
    """Raises: AuditorError where none of the tables holds some flow of the findings."""
    wanted = _ids(findings)
    missing = np.setdiff1d(wanted, np.concatenate([rows.flow_id for rows in tables]))
    if len(missing):
        raise AuditorError(
            f"{len(missing)} of {len(wanted)} flows of the findings are not in these captures",
            help="expected the captures that the report was made from, all of them",
        )


def choose(findings: Sequence[FindingEntry], report: Document, rows: Flows) -> Choice:
    """The rows of the findings' flows, and of those that their judgement needs."""
    own = np.isin(rows.flow_id, _ids(findings))
    needed, some = _context(findings, report)
    whole = own | np.isin(rows.flow_id, np.array(sorted(needed), np.uint64)) | _with_proxies(findings, rows)
    brief = np.isin(rows.flow_id, np.array(sorted(some), np.uint64)) & ~whole
    brief |= _witnesses(rows, whole | brief)
    return Choice(own, whole, brief)


def selection_of(rows: Flows, choice: Choice, frames: list[Frame]) -> Selection:
    """The chosen rows as the engine wants them."""
    flows, others = _windows(rows, choice.whole, EVERY_PACKET), _windows(rows, choice.brief, CONTEXT_PACKETS)
    own = len(np.unique(rows.flow_id[choice.own]))
    return Selection(flows + others, frames, len(flows) + len(others) - own)


def evidence_frames(findings: Sequence[FindingEntry], paths: Sequence[str], comments: Sequence[str]) -> list[Frame]:
    """The frames that the findings name, with a comment for each finding."""
    found: dict[tuple[str, int], list[str]] = {}
    for finding, comment in zip(findings, comments, strict=True):
        for item in finding["evidence"]:
            if item["frame"] is not None:
                found.setdefault((_path(item["capture"], paths), item["frame"]), []).append(comment)
    return [(path, frame, list(dict.fromkeys(said))) for (path, frame), said in found.items()]


def _path(named: str, paths: Sequence[str]) -> str:
    """The file that the report calls so: captures may have moved since. Raises: AuditorError if there is none."""
    if named in paths:
        return named
    alike = [path for path in paths if os.path.basename(path) == os.path.basename(named)]
    found = alike or (list(paths) if len(paths) == 1 else [])
    if len(found) != 1:
        raise AuditorError(f"{named}: the report names this capture, which is not among those given")
    return found[0]


def _context(findings: Sequence[FindingEntry], report: Document) -> tuple[set[int], set[int]]:
    """Flows of the same clients with the same vendors: those that are needed whole, and those of which a part is."""
    pairs = {
        (finding["client_ip"], vendor) for finding in findings for vendor in (finding["vendor"] or "").split("|")
    } - {(None, "")}
    whole: set[int] = set()
    some: set[int] = set()
    for flow in report["flows"]:
        if any((flow["client_ip"], vendor) in pairs for vendor in flow["vendor"].split("|")):
            place = whole if flow["role"] in WHOLE_ROLES else some
            if len(place) < CONTEXT_FLOWS:
                place.add(int(flow["flow_id"], 16))
    return whole, some


def _with_proxies(findings: Sequence[FindingEntry], rows: Flows) -> Bools:
    """TCP flows of the findings' clients with the proxies that the findings name: a relay is opened in another flow."""
    chosen = np.zeros(len(rows), np.bool_)
    for client, proxy in {(finding["client_ip"], finding["via"]) for finding in findings if finding["via"]}:
        with_proxy = rows.protocol == TCP
        for address, hi, lo in (
            (client, rows.initiator_hi, rows.initiator_lo),
            (proxy, rows.responder_hi, rows.responder_lo),
        ):
            number = parse_address(address or proxy)
            with_proxy &= (hi == np.uint64(number >> 64)) & (lo == np.uint64(number & (1 << 64) - 1))
        chosen[np.flatnonzero(with_proxy)[:CONTEXT_FLOWS]] = True
    return chosen


def _witnesses(rows: Flows, chosen: Bools) -> Bools:
    """Flows that show both directions, as many as it takes for the selection not to look one-sided."""
    both = (rows.packets_forward > 0) & (rows.packets_reverse > 0) & np.isin(rows.protocol, (TCP, UDP))
    speaks = ((rows.seen_forward | rows.seen_reverse) & SPEAKING) != 0  # with somebody: a lone SYN does not
    half = int((chosen & ~both & (rows.protocol == TCP) & speaks).sum())
    lacking = half // ONE_SIDED_RATIO + 1 - int((chosen & both).sum()) if half else 0
    witnesses = np.zeros(len(rows), np.bool_)
    witnesses[np.flatnonzero(both & ~chosen)[: max(lacking, 0)]] = True
    return witnesses


def windows_of(rows: Flows, ids: set[int], packets: int) -> list[Flow]:
    """The flows with these ids, as the engine wants them; of each at most so many packets."""
    return _windows(rows, np.isin(rows.flow_id, np.array(sorted(ids), np.uint64)), packets)


def _windows(rows: Flows, chosen: Bools, packets: int) -> list[Flow]:
    """Key and time of each flow; pieces of one flow together."""
    at = np.flatnonzero(chosen)
    if not len(at):
        return []
    order = at[np.lexsort((rows.start_ns[at], rows.flow_id[at]))]
    starts = np.flatnonzero(np.r_[True, rows.flow_id[order][1:] != rows.flow_id[order][:-1]])
    first, last = rows.start_ns[order[starts]], np.maximum.reduceat(rows.end_ns[order], starts)
    # Flows of one 5-tuple follow each other; only those of VLANs that are kept apart overlap.
    last = np.maximum(last, np.minimum(last + LINGER_NS, _successors(rows)[order[starts]] - 1))
    flows = rows[order[starts]]
    initiator = _numbers(flows.initiator_hi, flows.initiator_lo)
    responder = _numbers(flows.responder_hi, flows.responder_lo)
    return [
        (*head, *ends, *times, packets)
        for head, ends, times in zip(
            zip(flows.protocol.tolist(), flows.version.tolist(), strict=True),
            zip(initiator, flows.initiator_port.tolist(), responder, flows.responder_port.tolist(), strict=True),
            zip(first.tolist(), last.tolist(), strict=True),
            strict=True,
        )
    ]


def _successors(rows: Flows) -> Ints:
    """When the next flow between the same ports begins, for each row; the end of time where there is none."""
    words = np.ascontiguousarray(rows.community_id).view([("first", "<u8"), ("rest", "V12")])
    _, tuples = np.unique(words["first"], return_inverse=True)  # of the SHA-1: 64 bits tell the tuples apart
    order = np.lexsort((rows.start_ns, tuples))
    begins = np.full(len(rows), np.iinfo(np.int64).max, np.int64)
    latest: dict[int, tuple[int, int]] = {}  # tuple → flow and start of the flow that comes next
    after: dict[int, int] = {}
    for row in order[::-1].tolist():
        name, flow, start = int(tuples[row]), int(rows.flow_id[row]), int(rows.start_ns[row])
        if name in latest and latest[name][0] != flow:
            after[name] = latest[name][1]
        begins[row] = after.get(name, begins[row])
        latest[name] = (flow, start)
    return begins


def _numbers(hi: np.ndarray, lo: np.ndarray) -> list[int]:
    return [high << 64 | low for high, low in zip(hi.tolist(), lo.tolist(), strict=True)]
