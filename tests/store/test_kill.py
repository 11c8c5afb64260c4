"""Killed at any moment, a writing process leaves a store that opens, holds whole ticks, and says what happened."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from program import ROOT, environment
from sqlalchemy import func, select

from auditor.store import StoreWriter, open_store
from auditor.store.tables import FINDINGS, HEALTH, RUNS

KILLS = 50
EACH = 20  # findings of a tick, beside one row of health

NURSERY = f"""
import os, sys, time
sys.path.insert(0, "tests")
from watching import finding
from auditor.store import StoreWriter, open_store
from auditor.store.pending import Part

def work(url):
    writer = StoreWriter(lambda: open_store(url), sensor="span0", version="1")
    writer.start()
    print("writing", flush=True)
    part, tick = Part("window", time.time_ns()), 0
    while True:
        tick += 1
        for number in range({EACH}):
            writer.publish(part, finding(tick * {EACH} + number))
        writer.publish(part, {{"event": "health", "packets": tick, "drops": 0}})
        writer.tick(part, time.time_ns(), [], [])
        time.sleep(0.002)

for line in sys.stdin:  # a writing process for each line: to import all that anew would take a second each time
    child = os.fork()
    if not child:
        work(sys.argv[1])
    print(child, flush=True)
    os.waitpid(child, 0)
    print("gone", flush=True)
"""


def test_after_fifty_kills_the_store_opens_each_time_and_says_so(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'auditor.db'}"
    chance = random.Random(5424)
    interrupted = 0
    nursery = subprocess.Popen(
        [sys.executable, "-c", NURSERY, url],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    for number in range(KILLS):
        nursery.stdin.write("\n")
        nursery.stdin.flush()
        child = int(nursery.stdout.readline())
        if number % 10:
            assert nursery.stdout.readline() == "writing\n"
        time.sleep(chance.uniform(0.0, 0.2))  # every tenth dies while the store is being opened, or soon after
        os.kill(child, signal.SIGKILL)
        while nursery.stdout.readline() != "gone\n":
            pass
        engine = open_store(url)
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
            in_runs = connection.execute(
                select(FINDINGS.c.run, func.count()).group_by(FINDINGS.c.run).order_by(FINDINGS.c.run)
            ).all()
            ticks = dict(
                connection.execute(select(HEALTH.c.run, func.max(HEALTH.c.packets)).group_by(HEALTH.c.run)).all()
            )
            runs = connection.execute(select(func.count()).select_from(RUNS)).scalar_one()
        engine.dispose()
        assert all(count == ticks[run] * EACH for run, count in in_runs), "a tick is there in part"
        said: list[object] = []
        if number == KILLS - 1:
            writer = StoreWriter(lambda: open_store(url), sensor="span0", version="1", say=said.append)
            writer.start()
            writer.close(10)
            assert "was interrupted" in str(said[0])
        interrupted = runs
    nursery.stdin.close()
    nursery.wait(10)
    nursery.stdout.close()
    assert interrupted > KILLS / 2
    engine = open_store(url)
    with engine.connect() as connection:
        endings = connection.execute(select(RUNS.c.ending)).scalars().all()
        still_open = connection.execute(select(func.count()).where(FINDINGS.c.closed_ns.is_(None))).scalar_one()
    engine.dispose()
    assert endings.count("interrupted") == interrupted
    assert still_open == 0
