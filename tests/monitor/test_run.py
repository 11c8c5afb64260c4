"""A watch that runs by itself, with a capture that the tests play."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from program import CLEAN, VIOLATING, command, environment, run
from prometheus_client.parser import text_string_to_metric_families
from servers import free_port, wait_until
from watching import finding

from auditor.errors import AuditorError
from auditor.hostport import HostPort
from auditor.monitor import keeper
from auditor.monitor import run as running
from auditor.monitor.config import load_monitor
from auditor.monitor.metrics import MetricsServer, exposition
from auditor.monitor.run import Conductor, Judging
from auditor.monitor.status import process_start, read_status, write_status
from auditor.pipeline import audit
from auditor.store.opening import engine_of, migrate
from auditor.store.writing import moment
from auditor.upcoming import Stretch

HEALTH = {
    "packets": 10, "bytes": 1000, "drops": 3, "complete": True, "limits": {"flows-lost": 0},
    "flows": {"active": 1, "judged": 2},
    "interfaces": {
        "span0": {"packets": 10, "bytes": 1000, "drops": {"kernel": 3, "ours": 0}, "away": 0.5, "is_away": False}
    },
}  # fmt: skip


class Played:
    """As `Watch`: each tick tells one finding; its report is that of a sample."""

    made: ClassVar[list[Played]] = []

    def __init__(
        self, judging: Judging, publish: Callable[..., None], on_tick: Callable[..., None], evidence: Path | None
    ) -> None:
        self.judging, self.publish, self.on_tick = judging, publish, on_tick
        self.stopped = threading.Event()
        self.fails: BaseException | None = None
        self.reloads: list[Any] = []
        self.made.append(self)

    def run(self, duration: float | None = None) -> None:
        number = 0
        while not self.stopped.wait(0.02):
            if self.fails:
                raise self.fails
            number += 1
            self.publish(finding(number, severity="high"))
            self.publish({"event": "health", "time": None, **HEALTH})
            self.on_tick(
                SimpleNamespace(
                    time_ns=time.time_ns(), health=HEALTH, findings=[], changed=[], sessions=[], coverage=[]
                )
            )

    def stop(self) -> None:
        self.stopped.set()

    def reload(self, packs: Any, site: Any) -> None:
        self.reloads.append((packs, site))

    def report(self) -> Any:
        return audit(VIOLATING, packs=["drbackup"])


@pytest.fixture(autouse=True)
def played() -> list[Played]:
    Played.made = []
    return Played.made


def configured(tmp_path: Path, text: str = "") -> Path:
    path = tmp_path / "monitor.yaml"
    path.write_text(
        f"interfaces: [span0]\nsensor: span0\npacks: [drbackup]\nstatus: status.json\n"
        f"sinks:\n  - {{kind: jsonl, path: events.jsonl}}\n{text}"
    )
    return path


class Running:
    """A conductor in a thread."""

    def __init__(self, path: Path, gone: Callable[[], bool] = lambda: False) -> None:
        def make(*given: Any) -> Played:
            if gone() and Played.made:
                raise AuditorError("span0: there is no such interface")
            return Played(*given)

        self.conductor = Conductor(load_monitor(path), "1", make=make)
        self.answer: Any = None
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.answer = self.conductor.run()
        except BaseException as error:
            self.error = error

    def stop(self) -> Any:
        self.conductor.stop()
        self.thread.join(30)
        assert not self.thread.is_alive()
        return self.answer


def events(tmp_path: Path) -> list[dict[str, Any]]:
    path = tmp_path / "events.jsonl"
    whole = path.read_text().rpartition("\n")[0] if path.exists() else ""  # the last line may be under way
    return [json.loads(line) for line in whole.splitlines()]


def test_events_reach_sinks_and_store_and_the_end_is_in_order(tmp_path: Path) -> None:
    watch = Running(configured(tmp_path, "store:\n"))
    wait_until(lambda: len(events(tmp_path)) > 20)
    report = watch.stop()
    assert report.verdict == "violations"
    status = read_status(str(tmp_path / "status.json"))
    (sink,) = status["sinks"]
    assert (sink["waiting"], sink["lost"], status["store"]["waiting"], status["store"]["lost"]) == (0, {}, 0, {})
    assert sink["received"] == sink["delivered"] == len(events(tmp_path))
    assert status["store"]["written"] == sink["received"]
    assert (status["state"], status["troubles"]) == ("stopped", ["the watch was stopped"])


def test_at_a_windows_end_the_next_watch_begins_before_the_one_before_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, played: list[Played]
) -> None:
    begun = time.time_ns()
    parts = [Stretch("window", begun, begun + 10**9), Stretch("between", begun + 10**9, None)]
    monkeypatch.setattr(running, "stretches", lambda *_: iter(parts))
    (tmp_path / "file").write_text("")
    text = 'window_end: {reports: ["reports/{start}.json", "file/{start}.txt"], tell: [jsonl]}\nstore:\n'
    watch = Running(configured(tmp_path, text))
    wait_until(lambda: any(event["event"] == "report" for event in events(tmp_path)))
    assert [one.stopped.is_set() for one in played] == [True, False]
    told = next(event for event in events(tmp_path) if event["event"] == "report")
    assert told["verdict"] == "violations"
    assert "\nVIOLATIONS" in told["text"]
    (file,), (failure,) = told["files"], told["failures"]
    assert failure.endswith(".txt: the report was not written: File exists")
    assert json.loads(Path(file).read_text())["verdict"] == "violations"
    watch.stop()
    assert len([event for event in events(tmp_path) if event["event"] == "report"]) == 1


def test_where_the_next_part_cannot_begin_this_one_goes_on_until_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, played: list[Played]
) -> None:
    begun = time.time_ns()
    second = 10**9
    parts = [
        Stretch("window", begun, begun + second // 10),
        Stretch("between", begun + second // 10, begun + second // 5),  # over before it can begin
        Stretch("window", begun + second // 5, None),
    ]
    monkeypatch.setattr(running, "stretches", lambda *_: iter(parts))
    monkeypatch.setattr(running, "AGAIN_SECONDS", 0.1)
    watch = Running(
        configured(tmp_path, "store:\nwindow_end: {tell: [jsonl]}\n"), gone=lambda: time.time_ns() < begun + second
    )
    wait_until(lambda: len(played) == 2)
    watch.stop()
    told = events(tmp_path)
    (failure,) = [event for event in told if event.get("name") == "part-not-begun"]
    assert failure["message"].endswith("this one goes on: span0: there is no such interface")
    (report,) = [event for event in told if event["event"] == "report"][:1]
    assert moment(report["end"]) >= begun + second, "it ended when the next one began"
    status = read_status(str(tmp_path / "status.json"))
    assert moment(status["part"]["start"]) >= begun + second
    assert (status["part"]["kind"], status["store"]["lost"]) == ("window", {})


def test_a_report_that_a_bug_spoils_ends_no_watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, played: list[Played]
) -> None:
    begun = time.time_ns()
    parts = [Stretch("window", begun, begun + 10**8), Stretch("between", begun + 10**8, None)]
    monkeypatch.setattr(running, "stretches", lambda *_: iter(parts))
    monkeypatch.setattr("auditor.reports.json.write", lambda *_: 1 / 0)
    watch = Running(configured(tmp_path, 'window_end: {reports: ["{start}.json"]}\n'))
    wait_until(lambda: any(event.get("name") == "report-failed" for event in events(tmp_path)))
    (told,) = [event["message"] for event in events(tmp_path) if event.get("name") == "report-failed"]
    assert told.endswith(".json: the report was not written: bug of ours: ZeroDivisionError: division by zero")
    assert watch.stop().verdict == "violations"
    assert len(played) == 2


def test_where_the_status_cannot_be_written_nothing_is_begun(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = configured(tmp_path, "store:\n")
    path.write_text(path.read_text().replace("status: status.json", "status: file/status.json"))
    watch = Running(path)
    watch.thread.join(30)
    assert "file/status.json: the status cannot be written: " in str(watch.error)
    assert not (tmp_path / "auditor.db").exists()


def test_a_reload_takes_new_packs_and_site_and_reopens_files(tmp_path: Path, played: list[Played]) -> None:
    path = configured(tmp_path)
    watch = Running(path)
    wait_until(lambda: events(tmp_path))
    (tmp_path / "events.jsonl").rename(tmp_path / "moved")
    (tmp_path / "site.yaml").write_text("inside: [10.0.0.0/8]\n")
    path.write_text(path.read_text().replace("packs: [drbackup]", "packs: [securidata]\nsite: site.yaml\nfail_on: low"))
    watch.conductor.reload()
    wait_until(lambda: played[0].reloads)
    (packs, site) = played[0].reloads[0]
    assert ([enabled.pack.id for enabled in packs], site is not None) == (["securidata"], True)
    wait_until(lambda: any(event.get("name") == "reloaded" for event in events(tmp_path)))
    told = next(event for event in events(tmp_path) if event.get("name") == "reloaded")
    assert "now judged by securidata" in told["message"]
    assert "changes of fail_on need a restart" in told["message"]
    assert watch.conductor.judging.loaded.monitor.fail_on == "medium", "for later parts of time too"
    watch.stop()


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("site.yaml", "insid: [10.0.0.0/8]\n", "site.yaml:1: insid: unknown key"),
        ("monitor.yaml", "interfaces: []\n", "monitor.yaml:1: interfaces: is empty"),
    ],
)
def test_a_bad_new_file_is_refused_and_the_old_one_stays(
    tmp_path: Path, played: list[Played], name: str, text: str, reason: str
) -> None:
    (tmp_path / "site.yaml").write_text("inside: [10.0.0.0/8]\n")
    path = configured(tmp_path, "site: site.yaml\n")
    watch = Running(path)
    wait_until(lambda: events(tmp_path))
    before = watch.conductor.judging
    (tmp_path / name).write_text(text)
    watch.conductor.reload()
    wait_until(lambda: any(event.get("name") == "reload-refused" for event in events(tmp_path)))
    assert (played[0].reloads, watch.conductor.judging) == ([], before)
    status = watch.conductor.hub.status()
    assert reason in status["reload"]["reason"]
    assert any("the last reload was refused" in trouble for trouble in status["troubles"])
    watch.stop()


def test_a_bug_in_reading_a_new_file_ends_no_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Running(configured(tmp_path))
    wait_until(lambda: events(tmp_path))
    monkeypatch.setattr(running, "load_monitor", lambda _: 1 / 0)
    watch.conductor.reload()
    wait_until(lambda: any(event.get("name") == "reload-refused" for event in events(tmp_path)))
    assert "bug of ours: ZeroDivisionError" in watch.conductor.hub.status()["reload"]["reason"]
    assert watch.stop().verdict == "violations"


def test_what_stops_the_capture_ends_the_watch_with_its_reason(tmp_path: Path, played: list[Played]) -> None:
    watch = Running(configured(tmp_path))
    wait_until(lambda: played)
    played[0].fails = AuditorError("span0: is gone")
    watch.thread.join(30)
    assert str(watch.error) == "span0: is gone"
    assert read_status(str(tmp_path / "status.json"))["state"] == "stopped"


def test_the_service_manager_hears_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, played: list[Played]) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "600000")
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
        watch = Running(configured(tmp_path))
        assert manager.recv(999) == b"READY=1\nSTATUS=watching span0"
        assert manager.recv(999) == b"WATCHDOG=1"
        monkeypatch.setattr(keeper, "SILENCE_SECONDS", 0.0)  # as if nothing were judged any more
        time.sleep(0.5)
        manager.setblocking(False)
        while select.select([manager], [], [], 0)[0]:
            manager.recv(999)
        time.sleep(0.5)
        with pytest.raises(BlockingIOError):
            manager.recv(999)
        manager.settimeout(20)
        watch.conductor.reload()
        told = [manager.recv(999).split(b"\n") for _ in range(2)]
        assert told[0][0] == b"RELOADING=1"
        assert told[0][1].startswith(b"MONOTONIC_USEC=")
        assert told[1][0] == b"READY=1"
        watch.stop()
        assert manager.recv(999) == b"STOPPING=1"


def test_metrics_are_on_loopback_and_hold_no_address(tmp_path: Path) -> None:
    port = free_port()
    watch = Running(configured(tmp_path, f'metrics: {{listen: "127.0.0.1:{port}"}}\nstore:\n'))
    wait_until(lambda: watch.conductor.hub.status()["last_tick_ns"])
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10)
    watch.stop()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    drops = {sample.labels["cause"]: sample.value for sample in families["auditor_capture_drops"].samples}
    assert drops == {"kernel": 3, "ours": 0}
    assert families["auditor_interface_up"].samples[0].value == 1
    assert families["auditor_interface_away_seconds"].samples[0].value == 0.5
    assert families["auditor_sink_delivered"].samples[0].labels == {"sink": "jsonl"}
    for family in families.values():
        for sample in family.samples:
            assert not any("10.0.0." in value or "66.241" in value for value in sample.labels.values())


def test_who_asks_for_metrics_a_byte_at_a_time_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.monitor.metrics.ANSWER_SECONDS", 1.0)
    server = MetricsServer(HostPort("127.0.0.1", port := free_port()), dict)
    server.start()
    with socket.create_connection(("127.0.0.1", port)) as slow:
        slow.settimeout(0.1)
        for _ in range(100):
            try:
                slow.sendall(b"G")
                if slow.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        else:
            pytest.fail("it may ask for ever")
    server.close()


def test_metrics_count_on_over_the_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, played: list[Played]) -> None:
    begun = time.time_ns()
    parts = [Stretch("window", begun, begun + 10**8), Stretch("between", begun + 10**8, None)]
    monkeypatch.setattr(running, "stretches", lambda *_: iter(parts))
    watch = Running(configured(tmp_path))
    wait_until(lambda: len(played) == 2)
    wait_until(lambda: "} 20\n" in exposition(watch.conductor.hub.status()))
    watch.stop()


def test_a_metrics_port_that_is_taken_is_told_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        watch = Running(configured(tmp_path, f'metrics: {{listen: "127.0.0.1:{port}"}}\n'))
        watch.thread.join(30)
    assert f"nothing can listen at 127.0.0.1:{port}: Address already in use" in str(watch.error)


def test_a_second_watch_leaves_the_status_of_the_first_alone(tmp_path: Path) -> None:
    path = configured(tmp_path)
    path.write_text(path.read_text().replace("[span0]", f"[{CLEAN}]"))
    first = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        kept = {"schema": "auditor.status/1", "pid": first.pid, "process_start": process_start(first.pid)}
        write_status(str(tmp_path / "status.json"), {**kept, "written": time.time(), "state": "running"})
        second = run("watch", "--config", path)
        assert second.returncode == 2
        assert f"status.json: is the status of another watch (process {first.pid})" in second.stderr
        assert json.loads((tmp_path / "status.json").read_text())["pid"] == first.pid
    finally:
        first.kill()
        first.wait()
    assert run("watch", "--config", path).returncode == 0


def test_a_store_that_never_answered_is_told_at_the_end(tmp_path: Path) -> None:
    url = f"postgresql://auditor@127.0.0.1:{free_port()}/auditor"
    done = run("watch", "-i", CLEAN, "--pack", "drbackup", "--store", url, XDG_RUNTIME_DIR=str(tmp_path))
    assert done.returncode == 0
    _, failing, lost = done.stderr.splitlines()
    assert failing.startswith("auditor: the store fails since 20")
    assert "Connection refused" in failing
    assert lost.startswith("auditor: the store lost ")


def test_a_second_signal_ends_it_at_once_though_a_sink_hangs(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # nobody writes to it: the watch goes on
    path = configured(
        tmp_path, f"  - {{kind: syslog, to: '127.0.0.1:{free_port()}', protocol: tcp, events: [health]}}\n"
    )
    path.write_text(path.read_text().replace("[span0]", "[pipe]") + "store:\n")
    process = subprocess.Popen(command("watch", "--config", path), stderr=subprocess.PIPE, text=True, env=environment())
    assert process.stderr is not None
    wait_until(lambda: any(event["event"] == "health" for event in events(tmp_path)))
    process.send_signal(signal.SIGINT)
    assert "second signal ends it at once" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, "ended at once, without a report" in errors) == (130, True)
    assert read_status(str(tmp_path / "status.json"))["state"] == "stopped"


def test_a_status_of_a_process_that_is_gone_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    watch = Running(configured(tmp_path))
    wait_until(path.exists)
    assert (read_status(str(path))["alive"], read_status(str(path))["troubles"]) == (True, [])
    status = watch.conductor.hub.status()
    watch.stop()
    write_status(str(path), {**status, "pid": 2**22 + 1})
    seen = run("status", "--file", path)
    assert seen.returncode == 3
    assert "does not run" in seen.stdout
    assert "the watch ended without a word" in seen.stdout
    path.write_text("{}")
    assert "is no status of a watch" in run("status", "--file", path).stderr
    assert run("status", "--file", tmp_path / "none").returncode == 2


def test_a_capture_in_a_file_is_watched_to_its_end_with_a_store(tmp_path: Path) -> None:
    path = configured(tmp_path, "store:\nwindow_end: {reports: ['{start}.json']}\n")
    path.write_text(path.read_text().replace("[span0]", f"[{VIOLATING}]"))
    done = run("watch", "--config", path)
    assert (done.returncode, done.stderr) == (1, "")
    found = {event["check"] for event in events(tmp_path) if event["event"] == "opened"}
    assert found == {one.check for one in audit(VIOLATING, packs=["drbackup"]).judged.findings}
    (report,) = tmp_path.glob("*T*Z.json")
    assert {one["check"] for one in json.loads(report.read_text())["findings"]} == found
    assert [file for file in tmp_path.iterdir() if file != path and file.stat().st_mode & 0o007] == [], "addresses"
    status = json.loads(run("status", "--config", path, "--format", "json").stdout)
    assert (status["store"]["lost"], status["store"]["waiting"]) == ({}, 0)


def test_a_store_on_the_command_line(tmp_path: Path) -> None:
    done = run("watch", "-i", CLEAN, "--pack", "drbackup", "--store", tmp_path / "a.db", XDG_RUNTIME_DIR=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    told = {json.loads(line)["event"] for line in done.stdout.splitlines()}
    assert "health" in told <= {"opened", "updated", "closed", "health"}
    assert (tmp_path / "a.db").stat().st_size > 0
    refused = run("watch", "-i", CLEAN, "--store", "postgresql://u:hunter2@h/d")
    assert refused.returncode == 2
    assert "hunter2" not in refused.stderr


def test_check_tries_everything_and_sends_nothing(tmp_path: Path) -> None:
    path = configured(tmp_path, "store:\n")
    path.write_text(path.read_text().replace("[span0]", f"[{CLEAN}]"))
    done = run("watch", "--config", path, "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("ok ") == 5
    assert not (tmp_path / "events.jsonl").exists()
    port = free_port()
    path.write_text(
        f"interfaces: [nowhere0]\nsite: gone.yaml\nsinks:\n"
        f"  - {{kind: syslog, to: '127.0.0.1:{port}', protocol: tcp}}\n  - {{kind: jsonl, path: no/events.jsonl}}\n"
        f"store: {{url: /nowhere/auditor.db}}\n"
    )
    done = run("watch", "--config", path, "--check")
    assert done.returncode == 2
    assert done.stdout.count("FAILED") == 5
    for told in ("gone.yaml: cannot be read", "there is no such interface", "Connection refused", "there is no folder"):
        assert told.replace(" ", "") in "".join(done.stdout.split())


def test_check_makes_nothing_and_changes_nothing(tmp_path: Path) -> None:
    path = configured(tmp_path, "store: {url: auditor.db, flows: {folder: flows}}\nevidence: {folder: evidence}\n")
    path.write_text(path.read_text().replace("[span0]", f"[{CLEAN}]"))
    for told in ("is not there yet, and can be made", "its tables are made at the start", "of an earlier version"):
        before = sorted(file.name for file in tmp_path.rglob("*"))
        done = run("watch", "--config", path, "--check", COLUMNS="200")
        assert (done.returncode, told in " ".join(done.stdout.split())) == (0, True), done.stdout
        assert sorted(file.name for file in tmp_path.rglob("*")) == before
        engine = engine_of(f"sqlite:///{tmp_path / 'auditor.db'}")
        with engine.begin() as connection:
            if "not there" not in told:
                migrate(connection, "0001")
        engine.dispose()


def test_options_beside_a_configuration_are_refused(tmp_path: Path) -> None:
    done = run("watch", "--config", configured(tmp_path), "-i", "lo")
    assert (done.returncode, done.stderr.startswith("auditor: error: -i: is given beside --config")) == (2, True)
    assert run("watch", "--check").returncode == 2


def test_windows_are_previewed_over_a_change_of_the_clock(tmp_path: Path) -> None:
    path = configured(tmp_path, 'windows: [{days: mon-sun, from: "22:00", to: "06:00", timezone: Europe/Berlin}]\n')
    done = run("windows", "--config", path, "--after", "2027-03-27T12:00", COLUMNS="140")
    lines = done.stdout.splitlines()
    assert (done.returncode, len(lines)) == (0, 11)
    assert "Sat 2027-03-27 22:00 +0100  Sun 2027-03-28 06:00 +0200  7h" in lines[1]
    assert "8h" in lines[2]
    rows = json.loads(run("windows", "--config", path, "--format", "json", "--count", "3").stdout)
    assert len(rows) == 3
    assert run("windows").returncode == 2
    assert run("windows", "--config", path, "--after", "tomorrow").returncode == 2
    for year in ("0001-01-01", "9999-12-31"):
        far = run("windows", "--config", path, "--after", year)
        assert (far.returncode, "expected a year from 1970 to 9000" in far.stderr) == (2, True)
