"""Watches of real interfaces, in network namespaces of the test's own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Packet
from scapy.utils import wrpcap

import auditor
from tests.program import CLEAN, VIOLATING, command
from tests.watch.lab import Namespace, Watching, namespaces, python, replay_lab, require_lab

SERVE = """
import socket, sys
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("ready", flush=True)
peer, _ = server.accept()
while peer.recv(65536):
    pass
"""
CONNECT = """
import socket, sys, time
peer = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=10)
print(time.time(), flush=True)
peer.sendall(bytes(4096))
sys.stdin.read()
"""
INSIDE, SERVER = "192.0.2.3", "198.51.100.9"
SITE = """
inside: [192.0.2.0/24]
packs: {drbackup: {networks: [198.51.100.0/28]}}
"""


@pytest.fixture(autouse=True)
def _lab() -> None:
    require_lab()


@pytest.fixture
def wire() -> Iterator[Namespace]:
    with replay_lab() as namespace:
        yield namespace


def finding_ids(report: dict[str, Any]) -> list[str]:
    return sorted(finding["id"] for finding in report["findings"])


@pytest.mark.parametrize("capture", [VIOLATING, CLEAN], ids=lambda path: path.stem)
def test_a_replayed_sample_gives_the_findings_of_its_audit(wire: Namespace, capture: Path, tmp_path: Path) -> None:
    expected = auditor.audit(capture)
    with Watching(wire, tmp_path, "-i", "mon0") as watching:
        wire.run("tcpreplay", "-q", "--topspeed", "-i", "wire0", capture)
        time.sleep(1.5)
        assert watching.stop(signal.SIGTERM) == expected.exit_code
    report = json.loads(watching.report.read_text())
    assert finding_ids(report) == finding_ids(expected.to_dict())
    assert report["traffic"] == expected.to_dict()["traffic"]
    assert [entry["status"] for entry in report["coverage"]] == [
        entry["status"] for entry in expected.to_dict()["coverage"]
    ]
    assert [(one["path"], one["complete"]) for one in report["captures"]] == [("mon0", True)]


def test_what_the_kernel_turns_away_changes_no_finding(wire: Namespace, tmp_path: Path) -> None:
    with Watching(wire, tmp_path, "-i", "mon0", "--kernel-filter") as watching:
        for capture in (CLEAN, VIOLATING):
            wire.run("tcpreplay", "-q", "-i", "wire0", capture)
        time.sleep(1.5)
        watching.stop(signal.SIGTERM)
    report, whole = json.loads(watching.report.read_text()), auditor.audit([CLEAN, VIOLATING]).to_dict()
    assert finding_ids(report) == finding_ids(whole)
    assert 0 < report["captures"][0]["packets"] < sum(one["packets"] for one in whole["captures"])


def test_of_what_nobody_asks_about_the_kernel_passes_the_headers_alone(wire: Namespace, tmp_path: Path) -> None:
    ethernet = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    ip = IP(src="10.0.0.5", dst="203.0.113.9")

    def segments(port: int, below: Packet) -> list[Packet]:
        options = [("Timestamp", (7, 8))]
        headers = [TCP(sport=40_000, dport=port, flags="A", seq=at * 1000, options=options) for at in range(50)]
        return [below / ip / header / bytes(1000) for header in headers]

    plain, tagged, wanted = (
        segments(443, ethernet),
        segments(444, ethernet / Dot1Q(vlan=300)),
        segments(16384, ethernet),
    )
    datagrams = [ethernet / ip / UDP(sport=40_000, dport=443) / bytes([0x40, at] * 500) for at in range(50)]
    relayed = [ethernet / ip / UDP(sport=40_000, dport=443) / bytes([0, 0, 0, 1] * 250)]
    cut, whole = [*plain, *tagged, *datagrams], [*wanted, *relayed]
    file = tmp_path / "sent.pcap"
    wrpcap(str(file), [*cut, *whole])
    code = """
import json, subprocess, sys
from auditor.rulepack import enable
from auditor.watch import Watch
watch = Watch(["mon0"], enable(None, []))
subprocess.run(["tcpreplay", "-q", "-i", "wire0", sys.argv[1]], check=True, stdout=subprocess.DEVNULL)
watch.run(1.5)
other = watch.report().judged.traffic["other"]
print(json.dumps({"capture": watch._losses.captures[0], "other": [other.packets, other.bytes]}))
"""
    told = json.loads(wire.run(*python(code, str(file))))
    capture = told["capture"]
    assert capture["packets"] == 201
    assert capture["bytes"] == sum(map(len, [*cut, *whole]))
    assert capture["captured_bytes"] == 150 * 96 + 50 * 4 + sum(map(len, whole)), "a tag is put back"
    assert [problem["name"] for problem in capture["problems"]] == []
    assert told["other"] == [151, sum(len(packet[IP]) for packet in [*cut, *relayed])]


def test_a_watch_that_has_just_begun_does_not_lack_packets(wire: Namespace, tmp_path: Path) -> None:
    with Watching(wire, tmp_path, "-i", "mon0") as watching:
        time.sleep(2.5)  # more than one judgement
        assert '"opened"' not in watching.events.read_text()
        assert watching.stop(signal.SIGTERM) == 3
    report = json.loads(watching.report.read_text())
    assert [finding["check"] for finding in report["findings"]] == ["capture-incomplete"]


def test_findings_are_those_of_a_parallel_dumpcap_file(wire: Namespace, tmp_path: Path) -> None:
    file = tmp_path / "parallel.pcapng"
    with Watching(wire, tmp_path, "-i", "mon0") as watching:
        dumpcap = wire.start("dumpcap", "-q", "-i", "mon0", "-w", file)
        until = time.monotonic() + 20
        while not (file.exists() and file.stat().st_size) and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(1)  # its file is there before its capture is
        wire.run("tcpreplay", "-q", "-i", "wire0", VIOLATING)
        time.sleep(1.5)
        dumpcap.send_signal(signal.SIGINT)
        dumpcap.communicate(timeout=20)
        assert watching.stop(signal.SIGINT) == 1
    live, parallel = json.loads(watching.report.read_text()), auditor.audit(file).to_dict()
    assert finding_ids(live) == finding_ids(parallel)
    assert live["captures"][0]["packets"] == parallel["captures"][0]["packets"]
    # nanoseconds and all: both saw the kernel's stamps, dumpcap's in microseconds
    assert live["captures"][0]["start"][:-4] == parallel["captures"][0]["start"][:-4]


def test_a_vlan_tag_that_was_taken_off_is_put_back(wire: Namespace, tmp_path: Path) -> None:
    tagged = tmp_path / "tagged.pcap"
    rewrite = ["tcprewrite", "--enet-vlan=add", "--enet-vlan-tag=300", "--enet-vlan-cfi=0", "--enet-vlan-pri=0"]
    subprocess.run([*rewrite, f"--infile={VIOLATING}", f"--outfile={tagged}"], check=True, timeout=60)
    with Watching(wire, tmp_path, "-i", "mon0") as watching:
        wire.run("tcpreplay", "-q", "-i", "wire0", tagged)
        time.sleep(1.5)
        watching.stop(signal.SIGTERM)
    report = json.loads(watching.report.read_text())
    assert finding_ids(report) == finding_ids(auditor.audit(tagged).to_dict())
    assert {tuple(flow["vlan"]) for flow in report["flows"]} == {(300,)}


@pytest.mark.parametrize("mirror", ["tc", "hub"])
def test_a_session_from_outside_is_told_within_two_seconds_of_its_syn_ack(mirror: str, tmp_path: Path) -> None:
    with namespaces("inside", "outside", "switch") as (inside, outside, switch):
        site = tmp_path / "site.yaml"
        site.write_text(SITE)
        for host, address, other, end in ((inside, INSIDE, SERVER, "in0"), (outside, SERVER, INSIDE, "out0")):
            switch.run("ip", "link", "add", end, "type", "veth", "peer", "name", "eth0", "netns", host.name)
            host.quiet("eth0")
            host.ip(f"address add {address}/32 dev eth0")
            host.ip("link set eth0 up")
            host.ip(f"route add {other}/32 dev eth0")
        switch.ip("link add br0 type bridge")
        switch.ip("link add span0 type veth peer name mon0")
        for interface in ("in0", "out0", "br0", "span0", "mon0"):
            switch.quiet(interface)
            switch.ip(f"link set {interface} up")
        for interface in ("in0", "out0"):
            switch.ip(f"link set {interface} master br0")
        if mirror == "hub":
            switch.ip("link set span0 master br0")
            switch.ip("link set br0 type bridge ageing_time 0")
        else:
            switch.run("tc", "qdisc", "add", "dev", "in0", "clsact")
            for direction in ("ingress", "egress"):
                everything = ["bpf", "bytecode", "1,6 0 0 4294967295"]
                action = ["action", "mirred", "egress", "mirror", "dev", "span0"]
                switch.run("tc", "filter", "add", "dev", "in0", direction, *everything, *action)
        with Watching(switch, tmp_path, "-i", "mon0", "--site", site) as watching:
            server = inside.start(*python(SERVE, INSIDE, "5900"))
            assert server.stdout is not None
            assert server.stdout.readline() == "ready\n"
            client = outside.start(*python(CONNECT, INSIDE, "5900"), stdin=subprocess.PIPE)
            assert client.stdout is not None
            line = client.stdout.readline()
            assert line, client.communicate()
            opened = float(line)
            told = watching.wait_for('"check":"inbound-initiated"', 10)
            alive = client.poll() is None
            client.communicate("")
            server.communicate(timeout=20)
            assert watching.stop(signal.SIGTERM) == 1
        assert alive, "it is told while the session goes on"
        assert told - opened < 2
    (finding,) = json.loads(watching.report.read_text())["findings"]
    assert (finding["check"], finding["outcome"], finding["client_ip"]) == ("inbound-initiated", "open", INSIDE)


def test_what_two_mirrors_show_is_counted_once(tmp_path: Path) -> None:
    expected = auditor.audit(VIOLATING).to_dict()
    with replay_lab() as wire:
        wire.ip("link add wire1 type veth peer name mon1")
        for interface in ("wire1", "mon1"):
            wire.quiet(interface)
            wire.ip(f"link set {interface} up")
        wire.run("tc", "qdisc", "add", "dev", "wire0", "clsact")
        everything = ["bpf", "bytecode", "1,6 0 0 4294967295"]
        action = ["action", "mirred", "egress", "mirror", "dev", "wire1"]
        wire.run("tc", "filter", "add", "dev", "wire0", "egress", *everything, *action)
        with Watching(wire, tmp_path, "-i", "mon0", "-i", "mon1") as watching:
            # slowly enough for the rings to hand over both halves of each block of time together
            wire.run("tcpreplay", "-q", "--pps=400", "-i", "wire0", VIOLATING)
            time.sleep(1.5)
            watching.stop(signal.SIGTERM)
    report = json.loads(watching.report.read_text())
    assert finding_ids(report) == finding_ids(expected)
    assert report["traffic"] == expected["traffic"]
    packets = expected["captures"][0]["packets"]
    assert [capture["packets"] for capture in report["captures"]] == [packets, packets]
    problems = [problem for capture in report["captures"] for problem in capture["problems"]]
    copies = [problem for problem in problems if problem["name"] == "duplicate-packets"]
    assert sum(problem["count"] for problem in copies) == packets
    assert all("mon0" in problem["message"] and "mon1" in problem["message"] for problem in copies)


def test_dumpcap_on_a_pipe_is_a_source(wire: Namespace, tmp_path: Path) -> None:
    dumpcap = wire.start("dumpcap", "-q", "-i", "mon0", "-w", "-")
    assert dumpcap.stdout is not None
    watching = subprocess.Popen(
        command("watch", "-i", "-", "-o", tmp_path / "report.json"), stdin=dumpcap.stdout, stdout=subprocess.PIPE
    )
    assert watching.stdout is not None
    assert b'"event":"health"' in watching.stdout.readline()
    wire.run("tcpreplay", "-q", "-i", "wire0", VIOLATING)
    time.sleep(2)
    dumpcap.send_signal(signal.SIGINT)
    watching.communicate(timeout=20)
    dumpcap.stdout.close()
    dumpcap.wait(timeout=20)
    assert dumpcap.stderr is not None
    dumpcap.stderr.close()
    assert watching.returncode == 1
    report = json.loads((tmp_path / "report.json").read_text())
    assert finding_ids(report) == finding_ids(auditor.audit(VIOLATING).to_dict())


def test_several_interfaces_are_one_watch(tmp_path: Path) -> None:
    with replay_lab() as wire:
        wire.ip("link add wire1 type veth peer name mon1")
        for interface in ("wire1", "mon1"):
            wire.quiet(interface)
            wire.ip(f"link set {interface} up")
        with Watching(wire, tmp_path, "-i", "mon0", "-i", "mon1") as watching:
            wire.run("tcpreplay", "-q", "-i", "wire0", CLEAN)
            wire.run("tcpreplay", "-q", "-i", "wire1", VIOLATING)
            time.sleep(1.5)
            watching.stop(signal.SIGTERM)
    report = json.loads(watching.report.read_text())
    assert [capture["path"] for capture in report["captures"]] == ["mon0", "mon1"]
    assert finding_ids(report) == finding_ids(auditor.audit(VIOLATING).to_dict())


def test_drops_are_counted_by_cause_and_make_a_clean_watch_inconclusive(wire: Namespace) -> None:
    # a ring of two blocks, and nobody who empties it in time
    code = """
import sys, json
from auditor.rulepack import enable
from auditor.watch import Options, Watch
watch = Watch(["mon0"], enable(None, []), None, Options(ring_bytes=2 << 20))
import os, signal, subprocess
# the whole process stands still while the packets come
pid = os.getpid()
helper = subprocess.Popen(["sh", "-c", f"kill -STOP {pid}; tcpreplay -q --topspeed --loop=200 -i wire0 {sys.argv[1]} "
                           f">/dev/null 2>&1; kill -CONT {pid}"])
helper.wait()
watch.run(2)
report = watch.report()
fields = watch._losses.fields()
print(json.dumps({"verdict": report.verdict, "health": fields, "exit": report.exit_code,
                  "coverage": sorted({entry.status for entry in report.judged.coverage})}))
"""
    told = json.loads(wire.run(*python(code, str(CLEAN))))
    mon0 = told["health"]["interfaces"]["mon0"]
    assert mon0["drops"]["kernel"] > 0
    assert mon0["drops"]["freezes"] > 0
    assert mon0["packets"] + mon0["drops"]["kernel"] == 200 * 234, "every packet is accounted for"
    assert (told["verdict"], told["exit"]) == ("inconclusive", 3)
    assert "met" not in told["coverage"]


def test_with_a_core_taken_away_every_packet_is_seen_or_counted(wire: Namespace, tmp_path: Path) -> None:
    core = {min(os.sched_getaffinity(0))}
    before = os.sched_getaffinity(0)
    loop = subprocess.Popen(python("while True: pass"))
    try:
        for process in (0, loop.pid):  # what is started from here has that core too, and no other
            os.sched_setaffinity(process, core)
        with Watching(wire, tmp_path, "-i", "mon0") as watching:
            told = wire.run("tcpreplay", "--topspeed", "--loop=300", "-K", "-i", "wire0", VIOLATING)
            time.sleep(3)
            watching.stop(signal.SIGTERM)
    finally:
        os.sched_setaffinity(0, before)
        loop.kill()
        loop.wait()
    sent = re.search(r"Successful packets:\s+(\d+)", told)
    assert sent
    health = [json.loads(line) for line in watching.events.read_text().splitlines() if '"health"' in line][-1]
    (interface,) = health["interfaces"].values()
    lost = interface["drops"]["kernel"] + interface["drops"]["interface"]
    assert interface["packets"] + lost == int(sent[1]) > 50_000
    report = json.loads(watching.report.read_text())
    assert {one["id"] for one in report["findings"]} >= set(finding_ids(auditor.audit(VIOLATING).to_dict())) or lost
