"""Storms, a receiver that hangs, one that refuses, a small disk: memory stays flat, and every event is counted."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from types import SimpleNamespace

from servers import wait_until, web_server
from watching import finding

from auditor.monitor.config import load_monitor
from auditor.monitor.hub import Feed, Hub
from auditor.upcoming import Stretch

STORMS, EACH = 20, 3_000
WARM = 8  # storms until every queue has been full
GROWTH = 64 << 20
"""Bytes; the store's backlog alone may grow by that, since how far it falls behind depends on the disk."""


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def tick(feed: Feed) -> None:
    feed.on_tick(SimpleNamespace(time_ns=time.time_ns(), sessions=[], coverage=[], health={}, findings=[]))  # type: ignore[arg-type]


def is_written(hub: Hub, feed: Feed) -> bool:
    """Whether the store has everything. What it says of its own losses is written with the next tick."""
    tick(feed)
    assert hub.store is not None
    return hub.store.state().waiting == 0


def test_an_hour_of_storms(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf, web_server() as web:
        web.answer = lambda _: (503, {})
        (tmp_path / "secret").write_text("x")
        (tmp_path / "m.yaml").write_text(
            "interfaces: [span0]\nsensor: soak\nstore: {size: 64M}\nsinks:\n"
            "  - {kind: jsonl, path: all.jsonl, size: 4M, keep: 2, queue: 5000}\n"
            f"  - {{kind: syslog, to: '127.0.0.1:{deaf.getsockname()[1]}', protocol: tcp, queue: 3000}}\n"
            f"  - {{kind: webhook, url: 'http://127.0.0.1:{web.port}/', secret: {{file: secret}}, rate: 600}}\n"
            "  - {kind: jsonl, name: nowhere, path: no/all.jsonl, queue: 1000}\n"
        )
        hub = Hub(load_monitor(tmp_path / "m.yaml"), "1")
        hub.start()
        feed = hub.feed(Stretch("window", time.time_ns(), None))
        hub.turn_to(feed)
        before, slowest, told = 0, 0.0, 0
        for storm in range(STORMS):
            began = time.monotonic()
            for number in range(EACH):
                feed.publish(finding(storm * EACH + number, ("opened", "closed")[number % 2]))
                told += 1
            tick(feed)
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.1)
            if storm == WARM:
                before = resident()
        assert resident() - before < GROWTH
        assert slowest < 5.0
        wait_until(lambda: is_written(hub, feed), 60)
        hub.close(2.0)
    for outlet in hub.outlets:
        state = outlet.state()
        assert state.waiting == 0
        assert state.received == state.delivered + state.grouped + sum(state.lost.values()), state
        assert state.received >= told / 2
    nowhere = hub.outlets[3].state()
    assert (nowhere.delivered, sum(nowhere.lost.values())) == (0, nowhere.received)
    assert hub.store is not None
    store = hub.store.state()
    assert store.written + sum(store.lost.values()) >= told
    size = sum(path.stat().st_size for path in tmp_path.glob("all.jsonl*"))
    assert size <= 3 * (4 << 20)
    assert (tmp_path / "auditor.db").stat().st_size <= 64 << 20
