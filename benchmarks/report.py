"""How long reports of a large audit take: `benchmarks/report.py [FORMAT…]`; default: html.

The capture is made up: a million flows of ten thousand clients with a vendor, and a finding for each client. It is
audited, and then written in each format. A line for each with seconds after the audit, seconds of CPU and bytes; exit 1
where HTML takes more than 5 s or 5 MB.
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

FLOWS, CLIENTS = 1_000_000, 10_000
SECONDS, BYTES = 5.0, 5_000_000
CONTROL, DATA, UNPUBLISHED = 21, 20_000, 23  # ports of drbackup's servers; of data ports some from DATA on are used
DATA_PORTS = 10
SYN, SYN_ACK = 0x02, 0x12
PCAP = (0xA1B2C3D4, 2 | 4 << 16, 0, 0, 65535, 1)
RECORD = np.dtype(
    [
        *(("seconds", "<u4"), ("microseconds", "<u4"), ("captured", "<u4"), ("length", "<u4")),
        *(("ethernet", "V12"), ("type", ">u2")),
        *(("version", "u1"), ("service", "u1"), ("total", ">u2"), ("identification", ">u2"), ("fragment", ">u2")),
        *(("ttl", "u1"), ("protocol", "u1"), ("sum", ">u2"), ("source", ">u4"), ("destination", ">u4")),
        *(("from", ">u2"), ("to", ">u2"), ("sequence", ">u4"), ("acknowledged", ">u4")),
        *(("offset", "u1"), ("flags", "u1"), ("window", ">u2"), ("checksum", ">u2"), ("urgent", ">u2")),
    ]
)


def main(formats: list[str]) -> int:
    import auditor
    from auditor import reports

    formats = formats or ["html"]
    with tempfile.TemporaryDirectory() as folder:
        capture = Path(folder) / "million.pcap"
        write(capture)
        reports.prepare(formats)  # as the program does, beside the scan
        began = time.perf_counter()
        report = auditor.audit(capture)
        print(f"audit: {time.perf_counter() - began:.2f} s, {len(report.judged.findings):,} findings")
        results = [late(format, report) for format in formats]
    return int(any(results))


def late(format: str, report: object) -> bool:
    """Write the report; whether that took longer, or gave more, than HTML may."""
    from auditor import reports

    raw = io.BytesIO()
    began, busy = time.perf_counter(), time.process_time()
    with io.TextIOWrapper(raw, encoding="utf-8", newline="") as stream:
        reports.write(format, report, stream)  # type: ignore[arg-type]
        stream.flush()
        took, busy, size = time.perf_counter() - began, time.process_time() - busy, raw.tell()
    print(f"{format}: {took:.2f} s, {busy:.2f} s of CPU, {size:,} bytes")
    return format == "html" and (took > SECONDS or size > BYTES)


def write(capture: Path, violating: int = CLIENTS) -> None:
    """A pcap of such a capture, in which so many clients each have a flow to an unpublished port."""
    capture.write_bytes(np.array(PCAP, "<u4").tobytes() + packets(violating).tobytes())


def packets(violating: int) -> np.ndarray:
    """Two packets for each flow: a SYN and its answer, a millisecond after the flow before."""
    flow = np.repeat(np.arange(FLOWS), 2)
    answer = np.arange(2 * FLOWS) % 2 == 1
    found = np.zeros(2 * FLOWS, RECORD)
    time_us = flow * 1000 + answer * 100
    found["seconds"], found["microseconds"] = 1_772_485_200 + time_us // 1_000_000, time_us % 1_000_000
    found["captured"] = found["length"] = RECORD.itemsize - 16
    found["type"], found["version"], found["total"] = 0x0800, 0x45, 40
    found["identification"], found["ttl"], found["protocol"] = flow & 0xFFFF, 64, 6
    client, server = 0x0A010000 + flow % CLIENTS, 0x42F10700 + 1 + flow % 30
    turn = flow // CLIENTS  # of the client, which opens two control sessions, and then data connections
    port = np.where(flow < violating, UNPUBLISHED, np.where(turn < 2, CONTROL, DATA + turn % DATA_PORTS))
    own = 10_000 + turn
    found["source"], found["destination"] = np.where(answer, server, client), np.where(answer, client, server)
    found["from"], found["to"] = np.where(answer, port, own), np.where(answer, own, port)
    found["sequence"], found["acknowledged"] = flow, np.where(answer, flow + 1, 0)
    found["offset"], found["flags"], found["window"] = 0x50, np.where(answer, SYN_ACK, SYN), 65535
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
