"""What a watch that runs by itself is still allowed to do, thread by thread."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from program import command
from servers import free_port, wait_until

from tests.watch.lab import replay_lab, require_lab

SECONDS = 60
DAC_OVERRIDE, NET_RAW = 1 << 1, 1 << 13
"""Writing files of others, which root keeps; and opening interfaces. Source: capabilities(7)."""


def rights(process: int) -> dict[str, list[int]]:
    """The permitted capabilities of each thread, by its name."""
    found: dict[str, list[int]] = {}
    for task in Path(f"/proc/{process}/task").iterdir():
        fields = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)
        assert fields["NoNewPrivs"] == "1", fields["Name"]
        assert fields["CapEff"] == fields["CapPrm"]
        assert int(fields["CapInh"], 16) == int(fields["CapAmb"], 16) == 0
        found.setdefault(fields["Name"], []).append(int(fields["CapPrm"], 16))
    return found


@pytest.mark.parametrize("way", ["configured", "store alone", "read by scapy"])
def test_only_the_thread_that_opens_interfaces_may_open_interfaces(way: str, tmp_path: Path) -> None:
    require_lab()
    source = "scapy" if way == "read by scapy" else "auto"
    (tmp_path / "monitor.yaml").write_text(
        f"interfaces: [mon0]\nsource: {source}\nstatus: status.json\nstore: {{url: auditor.db}}\n"
        f"evidence: {{folder: evidence}}\nmetrics: {{listen: '127.0.0.1:{free_port()}'}}\n"
        "sinks: [{kind: jsonl, path: events.jsonl}]\n"
    )
    events = tmp_path / "events.jsonl"
    words = (
        ["--config", tmp_path / "monitor.yaml"]
        if way != "store alone"
        else ["-i", "mon0", "--store", tmp_path / "auditor.db", "--events", events, "--evidence", tmp_path / "evidence"]
    )
    with replay_lab() as namespace:
        process = namespace.start(*command("watch", *words))
        try:
            wait_until(lambda: events.exists() and '"event":"health"' in events.read_text())  # capture has begun
            found = rights(process.pid)
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=SECONDS)
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
    assert process.returncode in (0, 3), errors
    assert found.pop("capture") == [0]
    others = sorted(mask for masks in found.values() for mask in masks)
    if way == "read by scapy":  # in a thread that has as little
        assert others.pop(0) == 0
    assert len(others) >= 4
    opener = DAC_OVERRIDE | NET_RAW if way != "store alone" else DAC_OVERRIDE
    assert others == [*[DAC_OVERRIDE] * (len(others) - 1), opener]
