"""Maps a lab capture to published addresses, offline.

Addresses of IP headers, also of those that ICMP errors quote, are replaced one for one; checksums are made anew;
MACs come from the new addresses; the first frame is put at a given time and all intervals stay. Payloads, ports,
sequence numbers and TCP options stay as the real stacks made them. A transport checksum inside an ICMP quote is left
as it was: the quote is cut short, so nobody can check it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from scapy.layers.inet import ICMP, IP, TCP, UDP, IPerror
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw
from scapy.utils import PcapReader

from captures.generate.record import Frame, pcapng
from captures.generate.scene import mac

_LINK_HEADER = 14  # bytes of an Ethernet header


def rewrite(capture: Path, addresses: Mapping[str, str], *, start_ns: int) -> bytes:
    """The capture as pcapng. `addresses`: lab address → published address; all that occur must be there.

    Raises: KeyError for an address without a published one: nothing of the lab may show in a sample.
    """
    return pcapng(_frames(capture, addresses, start_ns))


def _frames(capture: Path, addresses: Mapping[str, str], start_ns: int) -> Iterator[Frame]:
    shift: int | None = None
    with PcapReader(str(capture)) as reader:
        for packet in reader:
            captured_ns = int(packet.time * 1_000_000_000)
            shift = start_ns - captured_ns if shift is None else shift
            length = packet[IP].len
            mapped = _mapped(packet[IP], addresses)
            frame = bytes(Ether(src=mac(mapped.src), dst=mac(mapped.dst)) / mapped)
            if len(frame) != _LINK_HEADER + length:
                raise ValueError(f"a packet of {length} bytes came out with {len(frame) - _LINK_HEADER}")
            yield Frame(captured_ns + shift, frame, len(frame))


def _mapped(packet: Packet, addresses: Mapping[str, str]) -> Packet:
    """The IP packet with the new addresses and checksums."""
    for layer in (IP, IPerror):
        if header := packet.getlayer(layer):
            header.src, header.dst = addresses[header.src], addresses[header.dst]
            del header.chksum
    for transport in (TCP, UDP, ICMP):
        if header := packet.getlayer(transport):
            del header.chksum
            if transport is not ICMP:
                _freeze(header)
    return packet


def _freeze(header: Packet) -> None:
    """What follows the header stays byte for byte, whatever protocol scapy sees in it."""
    payload = bytes(header.payload)
    header.remove_payload()
    if payload:
        header.add_payload(Raw(payload))
