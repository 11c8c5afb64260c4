"""Blocks of a pcapng capture, in the machine's byte order. Source: draft-ietf-opsawg-pcapng."""

from __future__ import annotations

import struct

SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
BYTE_ORDER = 0x1A2B3C4D
RESOLUTION, NANOSECONDS = 9, 9  # the option if_tsresol, and its value


def section() -> bytes:
    """How a capture begins."""
    return _block(SECTION, struct.pack("=IHHq", BYTE_ORDER, 1, 0, -1))


def interface(link_type: int) -> bytes:
    """The next interface, with times in nanoseconds."""
    return _block(INTERFACE, struct.pack("=HHIHHBxxxHH", link_type, 0, 0, RESOLUTION, 1, NANOSECONDS, 0, 0))


def packet(interface: int, time_ns: int, data: bytes) -> bytes:
    """A packet that was captured whole."""
    head = struct.pack("=IIIII", interface, time_ns >> 32, time_ns & 0xFFFFFFFF, len(data), len(data))
    return _block(PACKET, head + data + bytes(-len(data) % 4))


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("=I", len(body) + 12)
    return struct.pack("=I", kind) + length + body + length
