"""A cap of memory: too little is refused, every limit follows from it, and a flood of clients keeps within it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from program import ROOT, command, environment
from watching import finding

from auditor._engine import LIMITS
from auditor.delivery.backlog import Backlog
from auditor.delivery.weight import weight
from auditor.errors import MonitorError
from auditor.monitor.config import Loaded, load_monitor
from auditor.monitor.making import Judging, make_watch
from auditor.monitor.memory import MIB, QUEUES_PERCENT, SHARES, STORE_PERCENT, room_of, smallest
from auditor.sessions import Session
from auditor.sinks.base import Grouping
from auditor.store.pending import Part, Pending, Standing
from auditor.watch import Options
from auditor.watch.limits import MEANINGS

SECONDS = 170
CLIENTS = 180_000
CAP = 340
STREAM = "interfaces: ['-']\nsensor: x\npacks: [online-backup-service]\nstatus: status.json\n"
HUGE = "999999G"


def loaded(tmp_path: Path, text: str) -> Loaded:
    path = tmp_path / "monitor.yaml"
    path.write_text(text)
    return load_monitor(path)


def derived(tmp_path: Path, cap: str, further: str = "") -> dict[str, Any]:
    """The limits under a cap, those of the engine among them."""
    options = room_of(loaded(tmp_path, f"{STREAM}limits: {{memory: {cap}}}\n{further}").monitor).options
    return {**options, **options["room"]}


def test_without_a_cap_nothing_changes(tmp_path: Path) -> None:
    room = room_of(loaded(tmp_path, f"{STREAM}limits: {{window_flows: 7}}\n").monitor)
    assert room == ({}, None, None)


def test_a_cap_that_is_too_small_is_refused_and_the_smallest_is_told(tmp_path: Path) -> None:
    with pytest.raises(MonitorError) as raised:
        loaded(tmp_path, STREAM + "sinks: [{kind: jsonl, path: e}]\nlimits:\n  ring: 1M\n  memory: 60M\n")
    (error,) = raised.value.errors
    told = f"{tmp_path / 'monitor.yaml'}:8: limits.memory: '60M' is too little for what this file asks for; expected "
    assert error.startswith(told)
    least = error.removeprefix(told).removesuffix(" or more")
    monitor = loaded(tmp_path, f"{STREAM}limits: {{memory: {least}}}\n").monitor
    assert smallest(monitor) == int(least[:-1]) * MIB
    with pytest.raises(MonitorError):
        loaded(tmp_path, f"{STREAM}limits: {{memory: {int(least[:-1]) - 1}M}}\n")


@pytest.mark.parametrize(
    "further",
    [
        "store: {url: a.db}\n",
        "window_end: {reports: ['{start}.html']}\n",
        "window_end: {reports: ['{start}.parquet']}\n",
        "evidence: {folder: e}\n",
        "source: scapy\n",
    ],
)
def test_what_the_configuration_asks_for_needs_more(tmp_path: Path, further: str) -> None:
    plain = smallest(loaded(tmp_path, STREAM).monitor)
    assert smallest(loaded(tmp_path, STREAM + further).monitor) > plain + 10 * MIB


def test_a_watch_that_is_cut_needs_room_for_two(tmp_path: Path) -> None:
    text = f"{STREAM}limits: {{memory: 1G}}\n"
    alone, cut = loaded(tmp_path, text).monitor, loaded(tmp_path, text.replace("'-'", "span0")).monitor
    assert smallest(cut) > smallest(alone)
    flows = [room_of(monitor).options["window_flows"] for monitor in (alone, cut)]
    assert flows[0] - 2 * flows[1] in (0, 1)


def test_each_limit_has_one_share_and_a_name_that_is_known() -> None:
    names = [share.limit for share in SHARES]
    assert len(set(names)) == len(names)
    assert {name for name in names if name.isupper()} <= set(LIMITS)
    assert {name for name in names if name.islower()} <= {field.name for field in fields(Options)}
    assert sum(share.percent for share in SHARES) + QUEUES_PERCENT + STORE_PERCENT == 100


def test_limits_follow_from_the_cap_and_are_never_larger_than_without(tmp_path: Path) -> None:
    small, large, huge = (derived(tmp_path, cap, "evidence: {folder: e}\n") for cap in ("200M", "400M", HUGE))
    usual = {**LIMITS, **{field.name: getattr(Options(), field.name) for field in fields(Options)}}
    for share in SHARES:
        if share.limit == "ring_bytes":
            continue  # of interfaces; this is a stream
        name = "active_flows" if share.limit == "ACTIVE_FLOWS" else share.limit
        assert share.least <= small[name] < large[name] or share.least == 1, name
        assert huge[name] == usual[name] or usual[name] is None, name


def test_a_limit_that_is_given_beside_the_cap_makes_it_smaller_and_never_larger(tmp_path: Path) -> None:
    text = f"{STREAM}limits: {{memory: 200M, window_flows: 7, active_flows: 9000000, known_findings: 100000}}\n"
    judging = Judging(loaded(tmp_path, text.replace("'-'", f"'{tmp_path / 'monitor.yaml'}'")))
    watch = make_watch(judging, print, print, None)
    options = watch._options  # type: ignore[attr-defined]
    room = derived(tmp_path, "200M")
    assert (options.window_flows, options.active_flows) == (7, room["active_flows"])
    assert options.known_findings == room["known_findings"]
    assert options.room["APP_EVENTS"] == room["APP_EVENTS"]
    watch.stop()


def test_a_backlog_keeps_within_its_bytes() -> None:
    for grouping in (None, Grouping(wait=0)):
        backlog = Backlog(1_000, grouping=grouping, room=10 * weight(finding()))
        kinds = ["medium", "high"] if grouping else ["medium"]
        for number in range(400):
            backlog.put(finding(number, severity=kinds[number % len(kinds)]), 0.0)
        if grouping is None:
            assert 9 <= len(backlog) <= 11
            assert backlog.lost == {"queue-full": 400 - len(backlog)}
        else:
            assert (len(backlog), backlog.lost) == (400, {})
            clients = [one.event["grouped"]["clients"] for one in backlog.take(1.0, 10)]
            assert 0 < sum(clients) < 400, "where there is no room, ends are not told apart"
        backlog.take(1.0, 1_000)
        assert backlog.put(finding(), 2.0), "what has left makes room"


def test_what_waits_for_the_store_keeps_within_its_bytes() -> None:
    part = Part("window", 0)
    pending = Pending(room=10 * weight(finding()))
    for number in range(40):
        pending.put(part, finding(number))
        pending.put(part, finding(number))  # its last state takes the place of the one before
    assert 9 <= pending.findings <= 11
    assert pending.lost == {"finding": 2 * (40 - pending.findings)}
    session = Session("v", "c", (), 0, 0, "backup", 0, 0, 0, None, "completed")
    pending.stand(Standing(part, [session] * 100, ()))
    assert pending.lost["session"] == 100
    assert pending.standing[id(part)].sessions is None


def test_a_flood_of_clients_keeps_within_the_cap_and_what_found_no_room_is_told(tmp_path: Path) -> None:
    (tmp_path / "monitor.yaml").write_text(
        f"{STREAM}limits: {{memory: {CAP}M}}\nstore: {{url: a.db}}\nsinks: [{{kind: jsonl, path: e.jsonl}}]\n"
        "window_end: {reports: ['{start}.json']}\n"
    )
    flood = [sys.executable, ROOT / "benchmarks" / "floods.py", "--write", "clients", str(CLIENTS)]
    code = (
        "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); "
        "print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    with subprocess.Popen(flood, stdout=subprocess.PIPE) as fed:
        done = subprocess.run(
            [sys.executable, "-c", code, *command("watch", "--config", tmp_path / "monitor.yaml")],
            stdin=fed.stdout,
            capture_output=True,
            text=True,
            env=environment(),
            timeout=SECONDS,
            check=True,
        )
    assert fed.returncode == 0
    returncode, kilobytes = map(int, done.stdout.split())
    assert returncode == 3, done.stderr  # nothing is clean of which a part was not heard
    assert kilobytes << 10 < CAP * MIB
    (path,) = tmp_path.glob("*Z.json")
    report = json.loads(path.read_text())
    told = {problem["name"]: problem["count"] for problem in report["captures"][0]["problems"]}
    assert told.keys() <= MEANINGS.keys()
    assert report["captures"][0]["packets"] == 8 * CLIENTS
    assert sum(row["packets"] for row in report["traffic"].values()) == 8 * CLIENTS
    assert "flows-lost" not in told, "a capture that waits loses none"
    events = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    health = [event for event in events if event["event"] == "health"][-1]
    assert told == health["limits"]
    flows = health["flows"]
    assert flows["judged"] + flows["retired"] == CLIENTS
    assert told["judged-flows"] == flows["retired"] > 0
    assert told["evicted-flows"] == flows["evicted"] > 0
    assert report["verdict"] == "inconclusive"
    print(f"memory: {kilobytes >> 10} MB of {CAP}; {told}")
