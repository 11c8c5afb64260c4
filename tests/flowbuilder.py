"""Flow tables from short descriptions, so that a test of a check or of the classification needs no capture.

    flows, context = classified(
        row("10.0.0.5:49152", "204.164.111.9:16384", payload=(100_000, 500)),
        row("204.164.111.9:4000", "10.0.0.5:22", history="S"),
        packs=["online-backup-service"],
        site={"backup_hosts": ["10.0.0.5"]},
    )

`raw` gives the same flows without classification. Times are seconds after the start of the capture.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from auditor import events as read
from auditor.checks.base import Context, Health, Labels, Quotes
from auditor.events import Events, Samples
from auditor.flow import ICMP, ICMP6, IPV4_MAPPED, TCP, UDP, Basis, Flows, Seen, State
from auditor.identify import identify
from auditor.rulepack import enable
from auditor.site import Site
from auditor.validation.site import validate_site

CAPTURE_START_NS = 1_700_000_000 * 10**9
PROTOCOLS = {"tcp": TCP, "udp": UDP, "icmp": ICMP, "icmp6": ICMP6, "gre": 47, "esp": 50, "sctp": 132}
DEFAULT_HISTORY = {TCP: "ShADadFf", UDP: "Dd"}
HEADERS = {4: {TCP: 40, UDP: 28}, 6: {TCP: 60, UDP: 48}}  # bytes of IP and transport header
LETTERS = {
    "S": Seen.SYN,
    "H": Seen.SYN_ACK,
    "A": Seen.ACK,
    "D": Seen.DATA,
    "F": Seen.FIN,
    "R": Seen.RST,
    "C": Seen.BAD_CHECKSUM,
    "G": Seen.GAP,
    "T": Seen.RETRANSMISSION,
    "W": Seen.ZERO_WINDOW,
    "I": Seen.FIN_RST,
    "Q": Seen.ODD,
}


def number(address: str) -> int:
    """128-bit number of an address, IPv4 as ::ffff:a.b.c.d."""
    parsed = ipaddress.ip_address(address)
    return int(parsed) if parsed.version == 6 else IPV4_MAPPED | int(parsed)


@dataclass(frozen=True)
class Row:
    """One flow, described; see `row`."""

    columns: Mapping[str, Any] = field(default_factory=dict)


def row(
    initiator: str,
    responder: str,
    protocol: str | int = "tcp",
    *,
    history: str | None = None,
    state: State | None = None,
    basis: Basis | None = None,
    start: float = 1000.0,
    duration: float = 1.0,
    packets: tuple[int, int] | None = None,
    payload: tuple[int, int] | None = None,
    syn_frame: int | None = None,
    **columns: Any,
) -> Row:
    """One flow as the engine would report it. Ends are "address:port", "[IPv6]:port", or an address alone (port 0).

    `history` are Zeek's letters (capitals: the initiator); default: a whole TCP session `ShADadFf`, UDP both ways
    `Dd`. State, basis, seen bits, packets and payload follow from it unless given. `packets` and `payload` are
    (initiator's, responder's). ICMP: ports are type and code. Any further engine column of `Flows` may be given by
    name (`flow_id`, `piece`, `first_frame`, `last_data_ns`, `capture`, …).
    """
    number_of = protocol if isinstance(protocol, int) else PROTOCOLS[protocol]
    source, source_port = _endpoint(initiator)
    target, target_port = _endpoint(responder)
    version = 6 if ":" in source else 4
    letters = DEFAULT_HISTORY.get(number_of, "") if history is None else history
    forward = _seen(letters, str.isupper)
    reverse = _seen(letters, str.islower)
    if packets is None:
        packets = _packets(letters, number_of)
    if payload is None:
        payload = (100 if forward & Seen.DATA else 0, 100 if reverse & Seen.DATA else 0)
    header = HEADERS[version].get(number_of, 20 if version == 4 else 40)
    start_ns = CAPTURE_START_NS + round(start * 1e9)
    end_ns = start_ns + round(duration * 1e9)
    source_number, target_number = number(source), number(target)
    given: dict[str, Any] = {
        "piece": 0,
        "start_ns": start_ns,
        "end_ns": end_ns,
        "version": version,
        "protocol": number_of,
        "initiator_hi": source_number >> 64,
        "initiator_lo": source_number & (2**64 - 1),
        "responder_hi": target_number >> 64,
        "responder_lo": target_number & (2**64 - 1),
        "initiator_port": source_port,
        "responder_port": target_port,
        "basis": _basis(letters, number_of) if basis is None else basis,
        "state": _state(letters, number_of) if state is None else state,
        "seen_forward": forward,
        "seen_reverse": reverse,
        "history": letters.encode(),
        "packets_forward": packets[0],
        "packets_reverse": packets[1],
        "bytes_forward_ip": packets[0] * header + payload[0],
        "bytes_reverse_ip": packets[1] * header + payload[1],
        "payload_forward": payload[0],
        "payload_reverse": payload[1],
        "missed_bytes": 0,
        "retransmitted_forward": 0,
        "retransmitted_reverse": 0,
        "last_data_ns": end_ns if any(payload) else 0,
        "has_syn": "S" in letters,
        "syn_frame": syn_frame,
        "capture": 0,
        "process": 0,
        "vlan": 0,
        "tunnel": 0,
        "community_id": hashlib.sha1(f"{initiator}{responder}{number_of}".encode()).digest(),
    }
    return Row({**given, **columns})


def raw(*rows: Row) -> Flows:
    """The flows as the engine reports them: unclassified, in the order given, frames counted up from 1."""
    columns: dict[str, list[Any]] = {name: [] for name in DTYPES}
    frame = 1
    for index, described in enumerate(rows):
        values = dict(described.columns)
        has_syn = values.pop("has_syn")
        count = int(values["packets_forward"]) + int(values["packets_reverse"])
        values.setdefault("flow_id", index + 1)
        first = values.setdefault("first_frame", frame)
        values.setdefault("last_frame", first + max(count, 1) - 1)
        if values["syn_frame"] is None:
            values["syn_frame"] = first if has_syn else 0
        values.setdefault("last_capture", values["capture"])
        frame = values["last_frame"] + 1
        for name, column in columns.items():
            column.append(values.pop(name))
        assert not values, f"no such columns of Flows: {sorted(values)}"
    return Flows(**{name: np.array(column, dtype=DTYPES[name]) for name, column in columns.items()})


def enabled(packs: Sequence[str], site: Mapping[str, Any] | None) -> tuple[Any, Site]:
    """The enabled packs and the site. `site` is written as in a site file."""
    parsed = validate_site(json.dumps(site).encode(), "site.yaml", packs) if site else Site()
    return enable(parsed, packs), parsed


def capture(**given: Any) -> dict[str, Any]:
    """A capture as the engine reports it, sound unless given otherwise."""
    sound = {
        "path": "test.pcap",
        "error": None,
        "format": "pcap",
        "compression": "none",
        "link_types": ["ethernet"],
        "packets": 1000,
        "bytes": 100_000,
        "captured_bytes": 100_000,
        "snapped": 0,
        "drops": 0,
        "first_ns": CAPTURE_START_NS,
        "last_ns": CAPTURE_START_NS + 2000 * 10**9,
        "complete": True,
        "problems": [],
    }
    return {**sound, **given}


def context_for(
    packs: Sequence[str] = (),
    site: Mapping[str, Any] | None = None,
    *,
    labels: Labels | None = None,
    end: float = 2000.0,
    one_sided: bool = False,
    complete: bool = True,
    quotes: Sequence[Mapping[str, Any]] = (),
    port_scans: Sequence[tuple[str, str]] = (),
    captures: Sequence[Mapping[str, Any]] = ({},),
) -> Context:
    """What a check is given beside the flows; no packs named: all shipped ones.

    A quote is {"flow_id", "protocol", "source": "address:port", "destination": "address:port"}, as quoted. A capture is
    as the engine reports it; what is not given is as for a sound one.
    """
    parts, parsed = enabled(packs, site)
    return Context(
        packs=parts,
        site=parsed,
        labels=labels or Labels(("",), ("",)),
        health=Health(
            start_ns=CAPTURE_START_NS,
            end_ns=CAPTURE_START_NS + round(end * 1e9),
            packets=1000,
            one_sided=one_sided,
            complete=complete,
            captures=tuple(capture(**given) for given in captures),
        ),
        quotes=_quotes(quotes),
        port_scans=frozenset((number(client), number(server)) for client, server in port_scans),
    )


def classified(
    *rows: Row,
    packs: Sequence[str] = (),
    site: Mapping[str, Any] | None = None,
    events: Sequence[Mapping[str, Any]] = (),
    samples: Sequence[Mapping[str, Any]] = (),
    **context: Any,
) -> tuple[Flows, Context]:
    """The flows, classified and joined as in an audit, and their context; further arguments as `context_for`.

    An event is {"flow": number of the row, "kind", …}, a sample {"flow", "bytes_forward", …}; see `events_for` and
    `samples_for`.
    """
    parts, parsed = enabled(packs, site)
    whole = raw(*rows)
    heard = events_for(whole, events)
    flows, labels, negotiation, proxied = identify(whole, heard, parts, parsed)
    found = context_for(packs, site, labels=labels, **context)
    sampled = samples_for(whole, samples)
    return flows, replace(found, events=heard, samples=sampled, negotiation=negotiation, proxied=proxied)


def events_for(flows: Flows, described: Sequence[Mapping[str, Any]]) -> Events:
    """Events of these flows, in order of `time`.

    Beside "flow" and "kind": "time" (s, as of rows; default: its flow's start), "address", "port", "flag", "number",
    "text", "more", "frame".
    """
    columns: dict[str, list[Any]] = {name: [] for name in (*read.NUMBERS, "kind", "text", "more")}
    starts = (flows.start_ns - CAPTURE_START_NS).tolist()
    for event in sorted(described, key=lambda one: float(one.get("time", starts[one["flow"]] / 1e9))):
        given = dict(event)
        row = given.pop("flow")
        address = number(given["address"]) if "address" in given else None
        given["has_address"] = given.pop("address", None) is not None
        given["address_hi"], given["address_lo"] = (address or 0) >> 64, (address or 0) & (2**64 - 1)
        given["flow_id"] = int(flows.flow_id[row])
        given["time_ns"] = CAPTURE_START_NS + round(given.pop("time", starts[row] / 1e9) * 1e9)
        given.setdefault("flag", -1)
        given.setdefault("text", "")
        given.setdefault("more", ())
        for name, column in columns.items():
            column.append(given.pop(name) if name == "kind" else given.pop(name, 0))
        assert not given, f"no such columns of Events: {sorted(given)}"
    numbers = {name: np.array(columns[name], kind).tobytes() for name, kind in read.NUMBERS.items()}
    return read.events_of({**columns, **numbers})


def samples_for(flows: Flows, described: Sequence[Mapping[str, Any]]) -> Samples:
    """Samples of these flows; what is not given is 0."""
    rows = [int(flows.flow_id[sample["flow"]]) for sample in described]
    columns = {name: np.array([one.get(name, 0) for one in described], kind) for name, kind in read.SAMPLES.items()}
    columns["flow_id"] = np.array(rows, np.uint64)
    return read.samples_of({name: column.tobytes() for name, column in columns.items()})


def _dtypes() -> dict[str, str]:
    """numpy type of each engine column, read from the annotations of `Flows`."""
    by_alias = {
        "Words": "<u8", "Ints": "<i8", "Codes": "u1", "Ports": "<u2", "Counts": "<u4", "NDArray[np.bytes_]": "S32",
    }  # fmt: skip
    types = {f.name: by_alias[str(f.type)] for f in fields(Flows) if str(f.type) in by_alias}
    for name in ("vendor", "service", "role", "role_basis", "direction"):
        del types[name]
    return {**types, "community_id": "S20"}


DTYPES = _dtypes()


def _endpoint(text: str) -> tuple[str, int]:
    """Address and port of "1.2.3.4:5", "[::1]:5", "1.2.3.4" or "::1"."""
    if text.startswith("["):
        address, _, port = text[1:].partition("]:")
        return address, int(port)
    if text.count(":") == 1:
        address, _, port = text.partition(":")
        return address, int(port)
    return text, 0


def _seen(letters: str, mine: Any) -> int:
    bits = Seen(0)
    for letter in letters:
        if letter != "^" and mine(letter):
            bits |= LETTERS[letter.upper()]
    return int(bits)


def _packets(letters: str, protocol: int) -> tuple[int, int]:
    """A packet for each letter; protocols without letters one each way."""
    if protocol not in (TCP, UDP) and not letters:
        return 1, 1
    return sum(map(str.isupper, letters)), sum(map(str.islower, letters))


def _basis(letters: str, protocol: int) -> Basis:
    if protocol == UDP:
        return Basis.PORT if letters.startswith("^") else Basis.FIRST_PACKET
    if protocol != TCP:
        return Basis.PROTOCOL if protocol in (ICMP, ICMP6) else Basis.FIRST_PACKET
    if letters.startswith("S"):
        return Basis.SYN
    if letters.startswith(("^h", "H")):
        return Basis.SYN_ACK
    return Basis.PORT if letters.startswith("^") else Basis.FIRST_PACKET


def _state(letters: str, protocol: int) -> State:
    """Zeek's conn_state of plain histories; unusual ones need `state=`."""
    if protocol == UDP:
        sent, answered = "D" in letters, "d" in letters
        return {(1, 1): State.SF, (1, 0): State.S0, (0, 1): State.SHR}.get((sent, answered), State.OTH)
    if protocol != TCP:
        return State.OTH
    opened = "S" in letters and "h" in letters
    if "r" in letters:
        return State.RSTR if opened else State.REJ if "S" in letters else State.RSTRH if "h" in letters else State.OTH
    if "R" in letters:
        return State.RSTO if opened else State.RSTOS0 if "S" in letters else State.OTH
    if "F" in letters and "f" in letters:
        return State.SF
    if opened:
        return State.S2 if "F" in letters else State.S3 if "f" in letters else State.S1
    if "F" in letters:
        return State.SH
    if "f" in letters:
        return State.SHR
    return State.S0 if "S" in letters else State.OTH


def _quotes(described: Sequence[Mapping[str, Any]]) -> Quotes:
    ends = [(_endpoint(quote["source"]), _endpoint(quote["destination"])) for quote in described]
    sources = [number(source[0]) for source, _ in ends]
    targets = [number(target[0]) for _, target in ends]
    low = 2**64 - 1
    return Quotes(
        flow_id=np.array([quote["flow_id"] for quote in described], np.uint64),
        protocol=np.array([PROTOCOLS[quote["protocol"]] for quote in described], np.uint8),
        source_hi=np.array([value >> 64 for value in sources], np.uint64),
        source_lo=np.array([value & low for value in sources], np.uint64),
        destination_hi=np.array([value >> 64 for value in targets], np.uint64),
        destination_lo=np.array([value & low for value in targets], np.uint64),
        source_port=np.array([source[1] for source, _ in ends], np.uint16),
        destination_port=np.array([target[1] for _, target in ends], np.uint16),
    )
