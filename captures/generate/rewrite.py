"""Maps a lab capture to published addresses, offline.

Addresses of IP headers, also of those that ICMP errors quote, are replaced one for one; checksums are made anew;
MACs come from the new addresses; the first frame is put at a given time and all intervals stay. Ports, sequence
numbers and TCP options stay as the real stacks made them. Payloads stay too, but for the addresses that a proxy's
client asks for: these are replaced as text and as four bytes, always by as many bytes. A transport checksum inside an
ICMP quote is left as it was: the quote is cut short, so nobody can check it.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from scapy.layers.inet import ICMP, IP, TCP, UDP, IPerror
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw
from scapy.utils import PcapReader

from captures.generate.record import Frame, pcapng
from captures.generate.scene import mac

_LINK_HEADER = 14  # bytes of an Ethernet header


def rewrite(capture: Path, addresses: Mapping[str, str], *, start_ns: int, inside: Collection[int] = ()) -> bytes:
    """The capture as pcapng. `addresses`: lab address → published address; all that occur must be there. `inside`:
    TCP ports whose payload speaks of addresses.

    Raises: KeyError for an address without a published one, ValueError for a lab address that a payload spells out or
    that is not as long as its published one: nothing of the lab may show in a sample.
    """
    return pcapng(_frames(capture, addresses, start_ns, inside))


def _frames(capture: Path, addresses: Mapping[str, str], start_ns: int, inside: Collection[int]) -> Iterator[Frame]:
    shift: int | None = None
    with PcapReader(str(capture)) as reader:
        for packet in reader:
            captured_ns = int(packet.time * 1_000_000_000)
            shift = start_ns - captured_ns if shift is None else shift
            length = packet[IP].len
            mapped = _mapped(packet[IP], addresses, inside)
            frame = bytes(Ether(src=mac(mapped.src), dst=mac(mapped.dst)) / mapped)
            if len(frame) != _LINK_HEADER + length:
                raise ValueError(f"a packet of {length} bytes came out with {len(frame) - _LINK_HEADER}")
            yield Frame(captured_ns + shift, frame, len(frame))


def _mapped(packet: Packet, addresses: Mapping[str, str], inside: Collection[int]) -> Packet:
    """The IP packet with the new addresses and checksums."""
    for layer in (IP, IPerror):
        if header := packet.getlayer(layer):
            header.src, header.dst = addresses[header.src], addresses[header.dst]
            del header.chksum
    for transport in (TCP, UDP, ICMP):
        if header := packet.getlayer(transport):
            del header.chksum
            if transport is not ICMP:
                speaks = header.sport in inside or header.dport in inside
                _freeze(header, addresses, speaks)
    return packet


def _freeze(header: Packet, addresses: Mapping[str, str], speaks: bool) -> None:
    """What follows the header stays byte for byte, whatever protocol scapy sees in it; only addresses are replaced
    where the payload `speaks` of them."""
    payload = bytes(header.payload)
    header.remove_payload()
    for lab, published in addresses.items():
        for point in (".", ","):
            payload = _respelled(payload, lab.replace(".", point), published.replace(".", point), speaks)
        if speaks:
            payload = payload.replace(socket.inet_aton(lab), socket.inet_aton(published))
    if payload:
        header.add_payload(Raw(payload))


def _respelled(payload: bytes, spelled: str, wanted: str, speaks: bool) -> bytes:
    """With another address where it stands as text, whole numbers only."""
    pattern = rf"(?<!\d){re.escape(spelled)}(?!\d)".encode()
    if re.search(pattern, payload) is None:
        return payload
    if not speaks or len(spelled) != len(wanted):
        raise ValueError(f"a payload spells out {spelled}, which cannot become {wanted}")
    return re.sub(pattern, wanted.encode(), payload)
