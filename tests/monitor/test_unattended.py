"""The whole of it on an interface: capture, store, a sink that nobody answers, reload, a cut, the end."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from program import VIOLATING, command, run
from servers import wait_until
from sqlalchemy import select

from auditor.monitor.status import read_status
from auditor.pipeline import audit
from auditor.store import open_store
from auditor.store.tables import FINDINGS, NOTICES, PARTS, RUNS
from tests.watch.lab import replay_lab, require_lab

SECONDS = 60


def checks(path: Path) -> list[str]:
    lines = path.read_text().splitlines() if path.exists() else []
    return [event["check"] for event in map(json.loads, lines) if event["event"] == "opened"]


def captured(status: Path) -> int:
    """Packets of all parts of time."""
    return sum(int(one["packets"]) for one in read_status(str(status))["capture"]["interfaces"].values())


def test_unattended_on_an_interface(tmp_path: Path) -> None:
    require_lab()
    cut = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    if (cut - datetime.now(UTC)).total_seconds() < 25:
        cut += timedelta(minutes=1)
    end = cut + timedelta(minutes=2)
    with socket.create_server(("127.0.0.1", 0)) as deaf, replay_lab() as namespace:
        # a receiver that nobody serves: outside of the namespace, so that to it nothing answers at all
        (tmp_path / "monitor.yaml").write_text(
            f"interfaces: [mon0]\nsensor: lab\npacks: [drbackup]\nstatus: status.json\n"
            f"windows: [{{from: '{cut:%H:%M}', to: '{end:%H:%M}', timezone: UTC}}]\n"
            f"window_end: {{reports: ['{{start}}.json'], tell: [jsonl]}}\n"
            f"store: {{url: auditor.db}}\nevidence: {{folder: evidence}}\n"
            f"sinks:\n  - {{kind: jsonl, path: events.jsonl}}\n"
            f"  - {{kind: syslog, to: '127.0.0.1:{deaf.getsockname()[1]}', protocol: tcp}}\n"
        )
        process = namespace.start(*command("watch", "--config", tmp_path / "monitor.yaml"))
        try:
            events = tmp_path / "events.jsonl"
            wait_until(lambda: events.exists() and '"event":"health"' in events.read_text())  # capture has begun
            expected = sorted(one.check for one in audit(VIOLATING, packs=["drbackup"]).judged.findings)
            namespace.run("tcpreplay", "-q", "-t", "-i", "wire0", VIOLATING)
            wait_until(lambda: sorted(set(checks(events))) == sorted(set(expected)), SECONDS)
            first = len(checks(events))
            process.send_signal(signal.SIGHUP)
            wait_until(lambda: '"reloaded"' in events.read_text())
            wait_until(lambda: datetime.now(UTC) > cut + timedelta(seconds=5), 130)
            namespace.run("tcpreplay", "-q", "-t", "-i", "wire0", VIOLATING)
            wait_until(lambda: len(checks(events)) >= 2 * first, SECONDS)
            wait_until(lambda: captured(tmp_path / "status.json") >= 400)  # it is rewritten every two seconds
            seen = run("status", "--config", tmp_path / "monitor.yaml", "--format", "json")
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=SECONDS)
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
    assert process.returncode == 1, errors
    status = json.loads(seen.stdout)
    assert status["alive"]
    assert status["part"]["kind"] == "window"
    assert any("sink syslog fails since" in trouble for trouble in status["troubles"])
    (report,) = tmp_path.glob("*Z.json")
    assert sorted({one["check"] for one in json.loads(report.read_text())["findings"]}) == sorted(set(expected))
    assert list((tmp_path / "evidence").glob("*Z/inbound-initiated-*.pcapng"))
    assert not list((tmp_path / "evidence").glob("*Z/ring"))
    engine = open_store(f"sqlite:///{tmp_path / 'auditor.db'}")
    with engine.connect() as connection:
        parts = connection.execute(select(PARTS).order_by(PARTS.c.start_ns)).all()
        stored = connection.execute(select(FINDINGS.c.part, FINDINGS.c.check_id)).all()
        endings = connection.execute(select(RUNS.c.ending)).scalars().all()
        notices = connection.execute(select(NOTICES.c.name)).scalars().all()
    engine.dispose()
    assert [(part.kind, part.verdict) for part in parts] == [("between", "violations"), ("window", "violations")]
    assert parts[0].end_ns == parts[1].start_ns == int(cut.timestamp()) * 10**9
    for part in parts:
        assert {check for number, check in stored if number == part.id} >= set(expected)
    assert (endings, "reloaded" in notices) == (["stopped"], True)


def test_without_the_permission_the_help_says_what_grants_it(tmp_path: Path) -> None:
    require_lab()
    (tmp_path / "monitor.yaml").write_text("interfaces: [lo]\nstatus: status.json\n")
    tmp_path.chmod(0o777)
    words = command("watch", "--config", tmp_path / "monitor.yaml", "--check")
    done = subprocess.run(
        ["setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw", "--ambient-caps=-net_raw", *words],
        capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "FAILED  capture on lo" in done.stdout
    assert "AmbientCapabilities=CAP_NET_RAW" in done.stderr
