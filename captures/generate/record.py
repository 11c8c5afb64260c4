"""Capture files as bytes: written whole, frames counted.

Written by hand rather than by scapy's writers, because sample captures need what those do not offer: the same bytes
in every version, frames cut by a snap length, dropped-packet counts and no trace of the machine that wrote them.
Sources: draft-ietf-opsawg-pcap (pcap), draft-ietf-opsawg-pcapng (pcapng).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

ETHERNET = 1
SNAP_LENGTH = 262_144  # bytes; what dumpcap uses when nothing is asked for

_PCAP_NANOSECONDS = 0xA1B2_3C4D
_PCAP_MAGICS = (0xA1B2_C3D4, _PCAP_NANOSECONDS)
_SECTION_HEADER, _INTERFACE, _SIMPLE_PACKET, _STATISTICS, _ENHANCED_PACKET = 0x0A0D_0D0A, 1, 3, 5, 6
_PROCESS, _PACKET_PROCESS = 0x8000_0001, 0x8001  # Apple's block and option
_BYTE_ORDER_MAGIC = 0x1A2B_3C4D
_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Frame:
    """One captured frame."""

    time_ns: int  # since 1970, UTC
    data: bytes  # as captured
    wire_length: int  # bytes on the wire; more than len(data) where the capture cut it
    process: int | None = None  # whose it is: index in the `processes` of `pcapng`


def pcap(frames: Iterable[Frame], *, snap_length: int = SNAP_LENGTH) -> bytes:
    """A little-endian pcap file with nanoseconds."""
    parts = [struct.pack("<IHHiIII", _PCAP_NANOSECONDS, 2, 4, 0, 0, snap_length, ETHERNET)]
    for frame in frames:
        seconds, rest = divmod(frame.time_ns, _SECOND)
        parts.append(struct.pack("<IIII", seconds, rest, len(frame.data), frame.wire_length))
        parts.append(frame.data)
    return b"".join(parts)


def pcapng(
    frames: Iterable[Frame], *, dropped: int = 0, snap_length: int = SNAP_LENGTH, processes: Iterable[str] = ()
) -> bytes:
    """A little-endian pcapng file: one interface with nanoseconds, and its statistics at the end.

    `processes`: names that frames refer to, in blocks and options as Apple's tcpdump writes them.
    """
    parts = [
        _block(_SECTION_HEADER, struct.pack("<IHHq", _BYTE_ORDER_MAGIC, 1, 0, -1)),
        _block(_INTERFACE, struct.pack("<HHI", ETHERNET, 0, snap_length) + _options((9, b"\x09"))),
    ]
    for number, name in enumerate(processes, 1):
        parts.append(_block(_PROCESS, struct.pack("<I", 500 + number) + _options((2, name.encode()))))
    count, last_ns = 0, 0
    for frame in frames:
        head = struct.pack("<IIIII", 0, *_halves(frame.time_ns), len(frame.data), frame.wire_length)
        told = b"" if frame.process is None else _options((_PACKET_PROCESS, struct.pack("<I", frame.process)))
        parts.append(_block(_ENHANCED_PACKET, head + _padded(frame.data) + told))
        count, last_ns = count + 1, frame.time_ns
    counts = _options((4, struct.pack("<Q", count + dropped)), (5, struct.pack("<Q", dropped)))
    parts.append(_block(_STATISTICS, struct.pack("<III", 0, *_halves(last_ns)) + counts))
    return b"".join(parts)


def count_frames(capture: bytes) -> int:
    """Whole frames in a little-endian pcap or pcapng file; one that the end of the file cuts is not counted."""
    (magic,) = struct.unpack_from("<I", capture)
    if magic == _SECTION_HEADER:
        return _count_blocks(capture)
    if magic not in _PCAP_MAGICS:
        raise ValueError(f"not a little-endian pcap or pcapng file: it begins with {magic:#010x}")
    count, at = 0, 24
    while at + 16 <= len(capture):
        at += 16 + int(struct.unpack_from("<I", capture, at + 8)[0])
        count += at <= len(capture)
    return count


def _count_blocks(capture: bytes) -> int:
    count, at = 0, 0
    while at + 12 <= len(capture):
        kind, length = struct.unpack_from("<II", capture, at)
        if length < 12:
            raise ValueError(f"byte {at}: a block of {length} bytes")
        at += length
        count += kind in (_SIMPLE_PACKET, _ENHANCED_PACKET) and at <= len(capture)
    return count


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + length + body + length


def _options(*options: tuple[int, bytes]) -> bytes:
    parts = [struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options]
    return b"".join(parts) + bytes(4)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _halves(number: int) -> tuple[int, int]:
    return number >> 32, number & 0xFFFF_FFFF
