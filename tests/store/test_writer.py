"""What a watch tells is in the store, once, whatever the store goes through."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from servers import wait_until
from sqlalchemy import Engine, select
from watching import finding

from auditor.coverage import Coverage
from auditor.errors import AuditorError, StoreError
from auditor.sessions import Session
from auditor.sinks.base import Event, notice
from auditor.store import StoreWriter, open_store
from auditor.store.pending import Part
from auditor.store.tables import COVERAGE, FINDINGS, HEALTH, NOTICES, PARTS, RUNS, SESSIONS
from auditor.store.writing import moment

PART = Part("window", 1_000)


def session(client: str = "10.0.0.1", end: int = 20) -> Session:
    return Session("drbackup", client, ("66.241.7.9",), 10, end, "backup", 3, 1000, 50, True, "completed")


def health(packets: int) -> Event:
    return {"event": "health", "time": "2026-03-02T21:00:00.000000000Z", "packets": packets, "drops": {"kernel": 2}}


Start = Callable[..., StoreWriter]


@pytest.fixture
def start() -> Iterator[Start]:
    running: list[StoreWriter] = []

    def begin(url: str, **given: Any) -> StoreWriter:
        writer = StoreWriter(lambda: open_store(url), **{"sensor": "span0", "version": "1", **given})
        writer.start()
        running.append(writer)
        return writer

    yield begin
    for writer in running:
        writer.close(5)


def tick(writer: StoreWriter, part: Part = PART) -> None:
    writer.tick(part, time.time_ns(), [session()], [Coverage("drbackup", "range", "met", "3 flows")])


def rows(url: str, table: Any) -> list[Any]:
    engine: Engine = open_store(url)
    with engine.connect() as connection:
        found = list(connection.execute(select(table)).all())
    engine.dispose()
    return found


def test_a_tick_is_written_with_all_that_belongs_to_it(url: str, start: Start) -> None:
    writer = start(url)
    writer.publish(PART, finding(1, waiver={"reason": "known", "expired": False}))
    writer.publish(PART, finding(2, severity="critical"))
    writer.publish(PART, health(7))
    writer.publish(PART, notice("reload", "packs are new"))
    tick(writer)
    writer.end_part(PART, 9_000, "violations", [session()], [Coverage("drbackup", "range", "violated", "1 finding")])
    writer.close(10)
    assert writer.state().to_dict() | {"used": 0} == {
        "written": 4, "waiting": 0, "lost": {}, "failures": 0, "failing_since": None, "last_error": None, "used": 0,
        "pruned": 0,
    }  # fmt: skip
    (run,), (part,) = rows(url, RUNS), rows(url, PARTS)
    assert (run.sensor, run.ending) == ("span0", "stopped")
    assert (part.kind, part.start_ns, part.end_ns, part.verdict) == ("window", 1_000, 9_000, "violations")
    first, second = sorted(rows(url, FINDINGS), key=lambda row: row.finding)
    assert (first.waived, second.waived, second.severity, second.closed_ns) == (True, False, "critical", 9_000)
    assert json.loads(second.document) == {k: v for k, v in finding(2, severity="critical").items() if k != "event"}
    assert [(row.packets, row.drops) for row in rows(url, HEALTH)] == [(7, 2)]
    assert [row.message for row in rows(url, NOTICES)] == ["packs are new"]
    assert [(row.statement, row.status) for row in rows(url, COVERAGE)] == [("range", "violated")]
    assert [(row.client_ip, row.bytes_up) for row in rows(url, SESSIONS)] == [("10.0.0.1", 1000)]


def test_a_finding_that_goes_on_is_one_row_and_one_that_comes_back_another(url: str, start: Start) -> None:
    writer = start(url)
    for event, count in (("opened", 1), ("updated", 5), ("closed", 6), ("opened", 7), ("closed", 8), ("opened", 9)):
        writer.publish(PART, finding(1, event, count=count))
        if count in (5, 7):
            tick(writer)
            wait_until(lambda: writer.state().waiting == 0)
    tick(writer)
    writer.close(10)
    found = sorted(rows(url, FINDINGS), key=lambda row: row.count)
    assert [(row.count, row.closed_ns is not None) for row in found] == [(6, True), (8, True), (9, False)]


def test_what_an_earlier_tick_saw_otherwise_is_gone_at_the_end_of_the_part(url: str, start: Start) -> None:
    writer = start(url)
    writer.tick(PART, time.time_ns(), [session("10.0.0.1"), session("10.0.0.2")], [])
    wait_until(lambda: len(rows(url, SESSIONS)) == 2)
    writer.end_part(PART, 9_000, "clean", [session("10.0.0.2", end=99)], [])
    writer.close(10)
    assert [(row.client_ip, row.end_ns) for row in rows(url, SESSIONS)] == [("10.0.0.2", 99)]


def test_a_second_writer_for_a_sensor_is_refused(url: str, start: Start) -> None:
    start(url)
    second = StoreWriter(lambda: open_store(url), sensor="span0", version="1")
    if url.startswith("sqlite"):
        with pytest.raises(StoreError, match=r"another watch writes to it \(process \d+\)"):
            second.start()
        return
    second.start()
    assert "another watch writes to this store" in (second.state().last_error or "")
    second.close(0.1)
    start(url, sensor="other").close(5)
    assert [row.ending for row in rows(url, RUNS) if row.sensor == "other"] == ["stopped"]


def test_ten_thousand_findings_of_one_tick_are_all_there(url: str, start: Start) -> None:
    writer = start(url)
    began = time.monotonic()
    for number in range(10_000):
        writer.publish(PART, finding(number))
    tick(writer)
    assert time.monotonic() - began < 2
    writer.close(60)
    assert len(rows(url, FINDINGS)) == writer.state().written == 10_000


def test_names_of_any_length_and_kind_are_written(url: str, start: Start) -> None:
    writer = start(url)
    for number, name in enumerate(("x" * 300, "a\0b.example", "\udcff.example", "ü" * 300)):
        writer.publish(PART, finding(number, server_ip=name, vendor="v" * 300, check="c" * 99, protocol="p" * 40))
        writer.publish(PART, notice("n" * 99, name))
    writer.tick(PART, 1, [session("c" * 99 + "\0")], [Coverage("v" * 99, "s" * 99, "met", "a\0b")])
    wait_until(lambda: writer.state().written)
    writer.end_part(PART, 9_000, "clean", [session("c" * 99 + "\0")], [])
    writer.close(10)
    assert (writer.state().written, writer.state().lost, writer.state().last_error) == (8, {}, None)
    found = sorted(rows(url, FINDINGS), key=lambda row: row.finding)
    assert [row.server_ip for row in found] == ["x" * 255, "ab.example", r"\udcff.example", "ü" * 255]
    assert json.loads(found[1].document)["server_ip"] == "a\0b.example"
    assert [row.client_ip for row in rows(url, SESSIONS)] == ["c" * 64]


@pytest.mark.parametrize("cause", ["the store", "a bug"])
def test_what_the_store_will_never_take_is_counted_and_what_comes_after_it_is_written(
    cause: str, url: str, start: Start
) -> None:
    said: list[Event] = []
    writer = start(url, say=said.append)
    writer.publish(PART, finding(1, severity=None) if cause == "the store" else finding(1, waiver="a text"))
    tick(writer)
    wait_until(lambda: writer.state().lost)
    writer.publish(PART, finding(2))
    tick(writer)
    wait_until(lambda: writer.state().written)
    writer.close(10)
    assert (writer.state().lost, writer.state().waiting) == ({"refused": 1}, 0)
    assert [row.finding for row in rows(url, FINDINGS)] == [finding(2)["id"]]
    assert [event["count"] for event in said] == [1]
    assert [run.ending for run in rows(url, RUNS)] == ["stopped"]


def test_a_password_that_cannot_be_read_for_a_while_stops_nothing(tmp_path: Any) -> None:
    url, errors = f"sqlite:///{tmp_path / 'auditor.db'}", [StoreError("away", again=True), AuditorError("no password")]
    writer = StoreWriter(lambda: _raise(errors.pop(0)) if errors else open_store(url), sensor="span0", version="1")
    writer.start()
    writer.publish(PART, finding(1))
    tick(writer)
    wait_until(lambda: writer.state().written)
    writer.close(10)
    assert (errors, writer.state().failures) == ([], 2)


def _raise(error: Exception) -> Any:
    raise error


def test_sessions_that_find_no_room_to_wait_stay_as_they_were_written(url: str, start: Start) -> None:
    writer = start(url, room=1_500)
    writer.tick(PART, time.time_ns(), [session("10.0.0.1")], [])
    wait_until(lambda: len(rows(url, SESSIONS)) == 1)
    writer.end_part(PART, 9_000, "clean", [session("10.0.0.1"), session("10.0.0.2")], [])
    writer.close(10)
    assert [row.client_ip for row in rows(url, SESSIONS)] == ["10.0.0.1"]
    assert writer.state().lost == {"session": 2}


def test_losses_up_to_the_end_are_counted_with_what_is_told_last(url: str, start: Start) -> None:
    writer: StoreWriter = start(url, say=lambda event: writer.publish(PART, event), room=12_000)
    for number in range(5):
        writer.publish(PART, finding(number, message="x" * 1000))
    writer.close(10)
    (told,) = rows(url, NOTICES)
    assert told.count == writer.state().lost["finding"] > 0
    assert writer.state().written == 5 - told.count + 1


def test_while_the_server_restarts_events_wait_and_none_is_lost(postgres: Any, start: Start) -> None:
    url = postgres.database("restarted")
    writer = start(url)
    for number in range(30):
        writer.publish(PART, finding(number))
        writer.publish(PART, health(number))
        tick(writer)
        if number == 10:
            postgres.stop()
            wait_until(lambda: (tick(writer), writer.state().failures)[1])
            assert writer.state().failing_since
        if number == 20:
            postgres.start()
        time.sleep(0.02)
    wait_until(lambda: writer.state().waiting == 0, 60)
    writer.close(30)
    state = writer.state()
    assert (state.lost, state.written, state.failing_since) == ({}, 60, None)
    assert len(rows(url, FINDINGS)) == len(rows(url, HEALTH)) == 30
    (run,) = rows(url, RUNS)
    assert run.ending == "stopped"


def test_what_finds_no_room_while_the_store_is_away_is_counted_and_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr("auditor.store.pending.MAX_FINDINGS", 10)
    monkeypatch.setattr("auditor.store.pending.MAX_ROWS", 5)
    away, url, said = [True], f"sqlite:///{tmp_path / 'auditor.db'}", []

    def open_it() -> Engine:
        if away[0]:
            raise StoreError("away", again=True)
        return open_store(url)

    writer = StoreWriter(open_it, sensor="span0", version="1", say=said.append)
    writer.start()
    wait_until(lambda: writer.state().failures)
    for number in range(25):
        writer.publish(PART, finding(number))
        writer.publish(PART, health(number))
    away[0] = False
    tick(writer)
    wait_until(lambda: said)
    writer.close(10)
    state = writer.state()
    assert state.lost == {"finding": 15, "health": 20}
    assert state.written == 15
    assert said[0]["count"] == 35
    assert (len(rows(url, FINDINGS)), len(rows(url, HEALTH))) == (10, 5)


def test_at_the_disk_cap_the_oldest_goes_and_the_file_stays_below(
    start: Start, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditor.store.writer.RETENTION_SECONDS", 0.0)
    url, cap = f"sqlite:///{tmp_path / 'auditor.db'}", 2 << 20
    writer = start(url, size=cap)
    for number in range(4000):
        writer.publish(PART, finding(number, remediation="x" * 1000))
        writer.publish(PART, finding(number, "closed", remediation="x" * 1000))
        if number % 200 == 199:
            tick(writer)
            wait_until(lambda: writer.state().waiting == 0)
            assert (tmp_path / "auditor.db").stat().st_size <= cap
    writer.close(10)
    state = writer.state()
    left = rows(url, FINDINGS)
    assert state.pruned > 0
    assert len(left) + state.pruned >= state.written
    assert max(row.finding for row in left) == finding(3999)["id"]
    assert state.lost == {}


def test_where_nothing_can_go_what_comes_is_lost_and_counted(
    start: Start, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditor.store.writer.RETENTION_SECONDS", 0.0)
    url, cap = f"sqlite:///{tmp_path / 'auditor.db'}", 1 << 20
    writer = start(url, size=cap)
    published = 0
    for number in range(3000):  # all stay open: none may go
        writer.publish(PART, finding(number, remediation="x" * 1000))
        published += 1
        if number % 100 == 99:
            tick(writer)
            wait_until(lambda: writer.state().waiting == 0)
    state = writer.state()
    assert state.lost["disk-cap"] > 0
    assert state.written + state.lost["disk-cap"] == published
    writer.close(10)
    assert len(rows(url, FINDINGS)) == state.written
    assert (tmp_path / "auditor.db").stat().st_size <= cap


def test_what_is_too_old_goes(url: str, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.store.writer.RETENTION_SECONDS", 0.0)
    writer = start(url, keep=86_400)
    old, new = "2020-01-01T00:00:00.000000000Z", None
    for number, told in ((1, old), (2, new)):
        writer.publish(PART, finding(number, time=told))
        writer.publish(PART, finding(number, "closed", time=told))
        writer.publish(PART, {**health(number), "time": told})
    tick(writer)
    wait_until(lambda: writer.state().pruned)
    writer.close(10)
    assert [row.finding for row in rows(url, FINDINGS)] == [finding(2)["id"]]
    assert [row.packets for row in rows(url, HEALTH)] == [2]


@pytest.mark.parametrize("how", ["moved", "deleted"])
def test_a_store_that_was_taken_away_is_begun_anew_and_that_is_told(how: str, start: Start, tmp_path: Any) -> None:
    path, said = tmp_path / "auditor.db", list[Event]()
    writer = start(f"sqlite:///{path}", say=said.append)
    writer.publish(PART, finding(1))
    tick(writer)
    wait_until(lambda: writer.state().written == 1)
    for file in tmp_path.glob("auditor.db*"):
        if not file.name.endswith(".lock"):
            file.rename(tmp_path / f"old-{file.name}") if how == "moved" else file.unlink()
    writer.publish(PART, finding(2))
    tick(writer)
    wait_until(lambda: writer.state().written == 2)
    writer.close(10)
    url = f"sqlite:///{path}"
    assert [row.finding for row in rows(url, FINDINGS)] == [finding(2)["id"]]
    assert [run.ending for run in rows(url, RUNS)] == ["stopped"]
    assert [event["name"] for event in said] == ["store-gone"]
    assert (writer.state().lost, writer.state().failing_since) == ({}, None)


@pytest.mark.parametrize("limit", [{"keep": 86_400}, {"size": 1}])
def test_what_another_sensor_keeps_in_the_same_database_stays(
    limit: dict[str, int], postgres: Any, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.database("shared" + "".join(limit))
    monkeypatch.setattr("auditor.store.writer.RETENTION_SECONDS", 0.0)
    old = "2020-01-01T00:00:00.000000000Z"
    for sensor, settings in (("other", {}), ("span0", limit)):
        writer = start(url, sensor=sensor, **settings)
        for event in (finding(1, time=old), finding(1, "closed", time=old), {**health(1), "time": old}):
            writer.publish(PART, event)
        tick(writer)
        wait_until(
            lambda writer=writer, wanted=bool(settings): (
                writer.state().written == 2 and (writer.state().pruned or not wanted)
            )
        )
        writer.end_part(PART, 9_000, "clean", [session()], [])
        writer.close(10)
    sensors = {run.id: run.sensor for run in rows(url, RUNS)}
    assert {sensors[row.run] for table in (FINDINGS, HEALTH) for row in rows(url, table)} == {"other"}
    others = {row.id for row in rows(url, PARTS) if sensors[row.run] == "other"}
    assert {row.part for row in rows(url, SESSIONS)} == others != set()


def test_moments_are_exact() -> None:
    assert moment("2026-03-02T21:00:01.123456789Z") == 1_772_485_201_123_456_789
    assert abs(moment(None) - time.time_ns()) < 10**9
