#!/usr/bin/env python3
"""Writes a capture of many different 5-tuples to standard output: what an address scan looks like to a flow table.

    python benchmarks/tuples.py 10000000 | auditor audit - --format json -o /dev/null
    python benchmarks/tuples.py 500000 66.241.7.9 100 | auditor flows - --format csv -o /dev/null

Every packet is a SYN of a 5-tuple of its own, to port 443 of one server (192.0.2.9 unless another is named), a
microsecond after the one before, or as many as are given.
"""

from __future__ import annotations

import struct
import sys
from ipaddress import IPv4Address
from typing import BinaryIO

CHUNK = 65_536  # packets written at once
HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)
RECORD = struct.Struct("<IIII")
FRAME = 54
START = 1_700_000_000
DEFAULTS = ("", "192.0.2.9", "1")  # how many has to be said


def write(count: int, stream: BinaryIO, server: bytes, apart_us: int) -> None:
    """Write `count` packets, less than 2^32."""
    ethernet = bytes(12) + b"\x08\x00"
    before = bytes((0x45, 0, 0, 40, 0, 1, 0x40, 0, 64, 6, 0, 0))
    after = bytes((0, 0, 0, 0, 0x50, 2, 0x20, 0, 0, 0, 0, 0))
    stream.write(HEADER)
    for first in range(0, count, CHUNK):
        chunk = bytearray()
        for number in range(first, min(first + CHUNK, count)):
            seconds, micros = divmod(number * apart_us, 1_000_000)
            # 10.0.0.0/8 and the port together are different for each
            client = (10 << 24 | number >> 8 & 0xFFFFFF).to_bytes(4, "big")
            ports = (1024 + (number & 0xFF) + (number >> 32)).to_bytes(2, "big") + b"\x01\xbb"
            chunk += RECORD.pack(START + seconds, micros, FRAME, FRAME)
            chunk += ethernet + before + client + server + ports + number.to_bytes(4, "big") + after
        stream.write(chunk)


def main(arguments: list[str]) -> int:
    try:
        count, server, apart_us = (*arguments, *DEFAULTS[len(arguments) :])
        asked = int(count), IPv4Address(server).packed, int(apart_us)
    except (ValueError, IndexError):
        asked = 0, b"", 0
    if not (0 < asked[0] < 2**32 and asked[2] > 0):
        print("tuples.py: expected how many 5-tuples, below 2^32; the server; microseconds", file=sys.stderr)
        return 2
    try:
        write(asked[0], sys.stdout.buffer, *asked[1:])
    except BrokenPipeError:
        sys.stderr.close()  # whoever read has seen enough
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
