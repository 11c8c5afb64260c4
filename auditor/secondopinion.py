"""A second opinion on the flow table: tshark's, through pyshark, conversation by conversation.

Both programs read the same capture and count, for each pair of endpoints and protocol, packets and IP bytes of both
directions. Copies that a mirror port made are kept in both, and what a timeout or a new SYN splits is added up, since
tshark knows neither. What differs is explained where the reason is known, and shown in any case.

pyshark takes milliseconds a packet: this is for samples and doubts, not for the night's capture.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, NamedTuple

from auditor.errors import AuditorError
from auditor.flowlist import FlowList
from auditor.scan import ScanOptions

TIME_LIMIT = 300  # seconds that tshark may take
CLOSING_TIME = 10  # seconds that it may take to end
TRANSPORTS = {"tcp": "tcp", "udp": "udp"}
MESSAGES = {"icmp": "icmp", "icmpv6": "icmp6"}
NETWORKS = ("ip", "ipv6")
COMPARED = ("packets_there", "packets_back", "bytes_there", "bytes_back", "first_frame", "initiator")


class Ends(NamedTuple):
    """Who spoke with whom, in order, so that both directions have the same ends. Ports are 0 where there are none."""

    protocol: str
    low: tuple[str, int]
    high: tuple[str, int]

    def __str__(self) -> str:
        def end(address: str, port: int) -> str:
            shown = f"[{address}]" if ":" in address else address
            return f"{shown}:{port}" if port else address

        return f"{end(*self.low)} and {end(*self.high)}/{self.protocol}"


@dataclass(slots=True)
class Conversation:
    """What one program says of one pair of ends. there: from the low end to the high one."""

    packets_there: int = 0
    packets_back: int = 0
    bytes_there: int = 0
    bytes_back: int = 0
    first_frame: int = 0
    initiator: str = ""  # the sender of a SYN; empty where none was seen
    notes: set[str] = field(default_factory=set)  # what may make the other program count differently

    def add(self, *, there: bool, packets: int, size: int, frame: int) -> None:
        """Count packets of one direction."""
        if there:
            self.packets_there += packets
            self.bytes_there += size
        else:
            self.packets_back += packets
            self.bytes_back += size
        self.first_frame = min(self.first_frame or frame, frame)


Conversations = dict[Ends, Conversation]


class Difference(NamedTuple):
    """Where both programs differ. `why` is empty where that is not known."""

    ends: Ends
    what: str  # one of COMPARED, or "conversation" where one program has none
    ours: str
    theirs: str
    why: str


class Agreement(NamedTuple):
    """How far both programs agree."""

    conversations: int  # that either program has
    agreed: dict[str, tuple[int, int]]  # by what was compared: in how many of how many conversations
    differences: list[Difference]

    @property
    def unexplained(self) -> list[Difference]:
        return [difference for difference in self.differences if not difference.why]


def compare(ours: Conversations, theirs: Conversations) -> Agreement:
    """Both programs' words side by side."""
    both = ours.keys() & theirs.keys()
    differences = [
        Difference(
            ends, "conversation", _packets(ours.get(ends)), _packets(theirs.get(ends)), _why_alone(ours, theirs, ends)
        )
        for ends in sorted(ours.keys() ^ theirs.keys())
    ]
    agreed: dict[str, tuple[int, int]] = {"conversation": (len(both), len(both) + len(differences))}
    for what in COMPARED:
        alike = 0
        for ends in sorted(both):
            mine, other = getattr(ours[ends], what), getattr(theirs[ends], what)
            # one program may not have seen who opened it
            if mine == other or (what == "initiator" and not (mine and other)):
                alike += 1
            else:
                why = ", ".join(sorted(ours[ends].notes | theirs[ends].notes))
                differences.append(Difference(ends, what, str(mine), str(other), why))
        agreed[what] = (alike, len(both))
    return Agreement(len(ours.keys() | theirs.keys()), agreed, differences)


def _packets(conversation: Conversation | None) -> str:
    return "none" if conversation is None else f"{conversation.packets_there + conversation.packets_back} packets"


def _why_alone(ours: Conversations, theirs: Conversations, ends: Ends) -> str:
    known = ours.get(ends) or theirs[ends]
    if known.packets_there + known.packets_back == 0:
        return "headers that are cut or lie: a flow, and no packet in it"
    return ", ".join(sorted(known.notes))


def our_conversations(path: str) -> Conversations:
    """The flow table of the capture, added up. Raises: CaptureError."""
    from auditor import flowtable

    found: Conversations = {}
    flows = FlowList([path], columns=True, reading=ScanOptions(keep_duplicates=True, vlan="ignore"))
    for part in flows.batches():
        if part.rows is None:
            continue
        for row in flowtable.rows(part.rows.flows, part.rows.labels, flows.paths):
            ported = row["protocol"] in TRANSPORTS
            initiator = row["initiator_ip"], row["initiator_port"] if ported else 0
            responder = row["responder_ip"], row["responder_port"] if ported else 0
            ends, there = _ends(row["protocol"], initiator, responder)
            known = found.setdefault(ends, Conversation())
            for forward, packets, size in (
                (True, row["packets_forward"], row["bytes_forward_ip"]),
                (False, row["packets_reverse"], row["bytes_reverse_ip"]),
            ):
                known.add(there=there == forward, packets=packets, size=size, frame=row["first_frame"])
            if row["syn_frame"] and not known.initiator:
                known.initiator = row["initiator_ip"]
            if row["tunnel"]:
                known.notes.add(f"in a tunnel ({row['tunnel']})")
    return found


def tshark_conversations(path: str, time_limit: float = TIME_LIMIT) -> Conversations:
    """What tshark makes of the capture. Raises: AuditorError where it is missing, fails, or takes longer."""
    try:
        import pyshark  # type: ignore[import-untyped]
        from pyshark.capture.capture import TSharkCrashException  # type: ignore[import-untyped]
        from pyshark.tshark.tshark import TSharkNotFoundException  # type: ignore[import-untyped]
    except ImportError:
        raise AuditorError(
            "the second opinion needs pyshark", help="expected: pip install 'auditor[wireshark]'"
        ) from None
    found: Conversations = {}
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)  # pyshark's closing asks for the current one
    # Where pyshark has waited for tshark before asyncio does, asyncio says so on standard error; nothing is amiss then.
    log = logging.getLogger("asyncio")
    level = log.level
    log.setLevel(logging.ERROR)
    capture = None
    try:
        layers = "frame ip ipv6 tcp udp icmp icmpv6"
        capture = pyshark.FileCapture(path, keep_packets=False, eventloop=loop, custom_parameters=["-n", "-j", layers])
        capture.apply_on_packets(lambda packet: _take(found, packet), timeout=time_limit)
    except TSharkNotFoundException:
        raise AuditorError(
            "the second opinion needs tshark, which is not installed",
            help="expected: apt-get install tshark, or Wireshark",
        ) from None
    except TSharkCrashException as error:
        raise AuditorError(f"{path}: tshark could not read it to its end: {error}") from None
    except TimeoutError:
        raise AuditorError(
            f"{path}: tshark took longer than {time_limit:g} s",
            help="--timeout allows more; a part of the capture takes less: editcap -r FULL PART 1-10000",
        ) from None
    finally:
        if capture is not None:
            with suppress(TSharkCrashException, asyncio.TimeoutError, ProcessLookupError):
                loop.run_until_complete(asyncio.wait_for(capture.close_async(), CLOSING_TIME))
            capture.eventloop = None  # or its destructor would close it again
        asyncio.set_event_loop(None)
        loop.close()
        log.setLevel(level)
    return found


def _take(found: Conversations, packet: Any) -> None:
    """Count the packets of one frame: that of a UDP tunnel and what it carries, and otherwise the innermost."""
    frame = int(packet.number)
    for ends, there, size, is_syn, note in _packets_of(packet):
        known = found.setdefault(ends, Conversation())
        known.add(there=there, packets=1, size=size, frame=frame)
        if is_syn and not known.initiator:
            known.initiator = (ends.low if there else ends.high)[0]
        if note:
            known.notes.add(note)


def _packets_of(packet: Any) -> Iterator[tuple[Ends, bool, int, bool, str]]:
    """Ends, direction, IP length, whether it is a SYN, and what is odd."""
    network: Any = None
    pending = False  # an IP header whose transport has not come yet
    for layer in packet.layers:
        name = layer.layer_name
        if name in NETWORKS:
            network, pending = layer, True
        elif network is not None and pending and (name in TRANSPORTS or name in MESSAGES):
            pending = False
            yield _packet(network, name, layer)
            if name in MESSAGES:
                return  # what follows is quoted
    if network is not None and pending:
        yield _packet(network, "", None)


def _packet(network: Any, name: str, layer: Any) -> tuple[Ends, bool, int, bool, str]:
    from auditor._engine import protocol_name

    if network.layer_name == "ip":
        size, number = int(network.len), int(network.proto)
        fragmented = str(getattr(network, "frag_offset", "0")) != "0" or _is_set(network, "flags_mf")
    else:
        size, number, fragmented = int(network.plen) + 40, int(network.nxt), hasattr(network, "fraghdr_offset")
    protocol = TRANSPORTS.get(name) or MESSAGES.get(name) or protocol_name(number)
    ports = (int(layer.srcport), int(layer.dstport)) if name in TRANSPORTS else (0, 0)
    source = str(ip_address(str(network.src))), ports[0]
    destination = str(ip_address(str(network.dst))), ports[1]
    ends, there = _ends(protocol, source, destination)
    is_syn = name == "tcp" and _is_set(layer, "flags_syn") and not _is_set(layer, "flags_ack")
    note = "fragments: here one datagram of its whole length" if fragmented else ""
    return ends, there, size, is_syn, note


def _is_set(layer: Any, name: str) -> bool:
    """A flag; tshark writes 1 up to version 4.0, True after it."""
    return str(getattr(layer, name, "0")).lower() in ("1", "true", "set")


def _ends(protocol: str, source: tuple[str, int], destination: tuple[str, int]) -> tuple[Ends, bool]:
    """The ends, and whether the source is the low one."""
    there = source <= destination
    return Ends(protocol, *((source, destination) if there else (destination, source))), there


def second_opinion(path: str, time_limit: float = TIME_LIMIT) -> Agreement:
    """How far tshark agrees with the flow table of that capture. Raises: AuditorError."""
    before = os.stat(path)
    ours, theirs = our_conversations(path), tshark_conversations(path, time_limit)
    after = os.stat(path)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise AuditorError(
            f"{path}: was written while both programs read it, so that they read different captures",
            help="expected one that is finished, or a copy of what is there",
        )
    return compare(ours, theirs)
