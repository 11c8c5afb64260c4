#!/usr/bin/env python3
"""Writes a capture of many different 5-tuples to standard output: what an address scan looks like to a flow table.

    python benchmarks/tuples.py 10000000 | auditor audit - --format json -o /dev/null

Every packet is a SYN of a client of its own, a microsecond after the one before. No two are of one flow.
"""

from __future__ import annotations

import struct
import sys
from typing import BinaryIO

CHUNK = 65_536  # packets written at once
HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)
RECORD = struct.Struct("<IIII")
FRAME = 54
START = 1_700_000_000


def write(count: int, stream: BinaryIO) -> None:
    """Write `count` packets, less than 2^32."""
    ethernet = bytes(12) + b"\x08\x00"
    before = bytes((0x45, 0, 0, 40, 0, 1, 0x40, 0, 64, 6, 0, 0))
    server = bytes((192, 0, 2, 9))
    after = bytes((0, 0, 0, 0, 0x50, 2, 0x20, 0, 0, 0, 0, 0))
    stream.write(HEADER)
    for first in range(0, count, CHUNK):
        chunk = bytearray()
        for number in range(first, min(first + CHUNK, count)):
            seconds, micros = divmod(number, 1_000_000)
            # 10.0.0.0/8 and the port together are different for each
            client = (10 << 24 | number >> 8 & 0xFFFFFF).to_bytes(4, "big")
            ports = (1024 + (number & 0xFF) + (number >> 32)).to_bytes(2, "big") + b"\x01\xbb"
            chunk += RECORD.pack(START + seconds, micros, FRAME, FRAME)
            chunk += ethernet + before + client + server + ports + number.to_bytes(4, "big") + after
        stream.write(chunk)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or not arguments[0].isdecimal() or not 0 < int(arguments[0]) < 2**32:
        print("tuples.py: expected how many 5-tuples, a number from 1 to 4294967295", file=sys.stderr)
        return 2
    try:
        write(int(arguments[0]), sys.stdout.buffer)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read has seen enough
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
