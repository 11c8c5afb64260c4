"""A watch with everything in it, in a hurry: real traffic on an interface, storms of findings, a receiver that hangs, a
database that restarts, small disks. Memory stays flat, and nothing is lost that is not counted."""

from __future__ import annotations

import json
import re
import signal
import struct
import time
from pathlib import Path

import postgresql
from program import VIOLATING, command
from servers import wait_until
from sqlalchemy import func, select

from auditor.monitor.status import read_status
from auditor.store import open_store
from auditor.store.tables import FINDINGS
from tests.watch.lab import Namespace, python, replay_lab, require_lab

SECONDS = 60
DEAF = """
import socket, time
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
time.sleep(300)
"""
STORMS, CLIENTS = 12, 1_000
"""An hour of a busy day: a scan of the vendor's network every few minutes, here one a second."""
AWAY, BACK, WARM = 2, 4, 6
"""Storms before which the database goes and comes, and from which on memory is compared: all limits are met by then."""
GROWTH = 16 << 20
"""Bytes that memory may breathe from then on; what is told in a storm takes some 3 MB on its way."""
MONITOR = """
interfaces: [mon0]
sensor: soak
packs: [drbackup]
status: status.json
store: {{url: "{store}", size: 8M, keep: 1d}}
evidence: {{folder: evidence, size: 16M}}
limits: {{window_flows: 2000, known_findings: 2000, known_sessions: 500, active_flows: 2000, ring: 16M}}
sinks:
  - {{kind: jsonl, name: all, path: all.jsonl, size: 1G, queue: 100000}}
  - {{kind: jsonl, name: small, path: small.jsonl, size: 1M, keep: 2}}
  - {{kind: webhook, url: "http://127.0.0.1:{deaf}/", secret: {{file: secret}}, queue: 2000}}
"""


def storm(path: Path, number: int) -> None:
    """A capture in which so many clients, others each time, send a datagram to the vendor's network."""
    packets = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)]
    for client in range(number * CLIENTS, (number + 1) * CLIENTS):
        udp = struct.pack(">HHHH", 40_000, 21_000, 12, 0) + b"scan"
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 32, client & 0xFFFF, 0, 64, 17, 0,
                         bytes([10, client >> 16 & 255, client >> 8 & 255, client & 255]),
                         bytes([66, 241, 7, 9]))  # fmt: skip
        frame = bytes(12) + b"\x08\x00" + ip + udp + bytes(14)
        packets.append(struct.pack("<IIII", 1, client % 1_000_000, len(frame), len(frame)) + frame)
    path.write_bytes(b"".join(packets))


def replayed(wire: Namespace, *words: str | Path) -> int:
    """Replay a capture; how many packets were sent."""
    told = wire.run("tcpreplay", *words[:-1], "-i", "wire0", words[-1])
    match = re.search(r"Successful packets:\s+(\d+)", told)
    assert match, told
    return int(match[1])


def size_of(folder: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in folder.glob(pattern) if path.is_file())


class Peak:
    """Memory of a process after each storm."""

    def __init__(self, process: int) -> None:
        self.process, self.seen = process, list[int]()

    def look(self) -> None:
        self.seen.append(int(Path(f"/proc/{self.process}/statm").read_text().split()[1]) * 4096)


def stormy(wire: Namespace, database: postgresql.Postgres, memory: Peak, folder: Path) -> int:
    """The hour; how many packets were sent."""
    sent = 0
    for number in range(STORMS):
        if number == AWAY:
            database.stop()
        if number == BACK:
            database.start()
        storm(folder / "storm.pcap", number)
        sent += replayed(wire, "-q", "--topspeed", folder / "storm.pcap")
        sent += replayed(wire, "-q", "--topspeed", VIOLATING)
        time.sleep(1)
        memory.look()
    return sent


def test_an_hour_of_everything(tmp_path: Path) -> None:
    require_lab()
    with postgresql.server() as database, replay_lab() as wire:
        database.folder.chmod(0o755)
        deaf = wire.start(*python(DEAF))
        assert deaf.stdout is not None
        port = int(deaf.stdout.readline())
        store = database.database("soak", host=str(database.folder))
        (tmp_path / "monitor.yaml").write_text(MONITOR.format(store=store, deaf=port))
        (tmp_path / "secret").write_text("x")
        process = wire.start(*command("watch", "--config", tmp_path / "monitor.yaml"))
        memory = Peak(process.pid)
        try:
            wait_until(lambda: '"event":"health"' in text_of(tmp_path / "all.jsonl"))  # capture has begun
            sent = stormy(wire, database, memory, tmp_path)
            wait_until(lambda: seen_in(tmp_path) >= sent, SECONDS)
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=SECONDS)
        finally:
            for one in (process, deaf):
                if one.poll() is None:
                    one.kill()
                one.communicate()
        assert process.returncode == 1, errors
        status = read_status(str(tmp_path / "status.json"))
        stored = findings_in(store)
    told = [json.loads(line) for line in text_of(tmp_path / "all.jsonl").splitlines()]
    opened = {event["id"] for event in told if event["event"] == "opened"}
    assert len(opened) >= STORMS * CLIENTS / 4
    # memory: the second half of the hour against its middle; more flows, and findings, came than may be kept
    limits = status["capture"]["limits"]
    assert limits["evicted-flows"] > 0
    assert limits["known-findings"] > 0
    assert max(memory.seen[WARM:]) - memory.seen[WARM - 1] < GROWTH, memory.seen
    # packets: each is seen, or lost and counted
    interface = status["capture"]["interfaces"]["mon0"]
    assert interface["packets"] + interface["drops"]["kernel"] + interface["drops"]["interface"] == sent
    # events: each sink got them, or lost and counted them
    sinks = {sink["name"]: sink for sink in status["sinks"]}
    for sink in sinks.values():
        assert sink["waiting"] == 0
        assert sink["received"] == sink["delivered"] + sink["grouped"] + sum(sink["lost"].values()), sink
    assert (sinks["all"]["lost"], sinks["all"]["delivered"]) == ({}, len(told))
    assert sinks["webhook"]["delivered"] == 0
    assert sinks["webhook"]["lost"]["shutdown"] > 0
    # the store: what was told is there, went for want of room, or was lost and counted
    kept = status["store"]
    assert (kept["waiting"], kept["failures"] > 0) == (0, True)
    assert stored + kept["pruned"] + sum(kept["lost"].values()) >= len(opened)
    # disks
    assert limits["evidence-bytes"] > 0
    assert kept["used"] <= 8 << 20
    assert size_of(tmp_path, "small.jsonl*") <= 3 << 20
    assert size_of(tmp_path / "evidence", "**/*") <= 16 << 20
    print(f"soak: {sent:,} packets, {len(told):,} events, {len(opened):,} findings; resident MB:",
          [size >> 20 for size in memory.seen])  # fmt: skip


def text_of(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def seen_in(folder: Path) -> int:
    """Packets that were seen, or lost, by the status."""
    (interface,) = read_status(str(folder / "status.json"))["capture"]["interfaces"].values()
    return int(interface["packets"]) + sum(interface["drops"][cause] for cause in ("kernel", "interface"))


def findings_in(store: str) -> int:
    engine = open_store(store)
    with engine.connect() as connection:
        count = connection.execute(select(func.count()).select_from(FINDINGS)).scalar_one()
    engine.dispose()
    return int(count)
