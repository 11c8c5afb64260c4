"""Backup runs made from flows."""

from __future__ import annotations

from typing import Any

from flowbuilder import CAPTURE_START_NS, Row, classified, row

from auditor.sessions import Session, sessions_of

SERVER = "66.241.7.1"


def sessions(*rows: Row, site: dict[str, Any] | None = None) -> list[Session]:
    flows, context = classified(*rows, site=site)
    return sessions_of(flows, context.labels)


def control(start: float = 0, duration: float = 60, **more: Any) -> Row:
    return row("10.0.0.5:3000", f"{SERVER}:21", start=start, duration=duration, **more)


def data(start: float, server: str = SERVER, payload: tuple[int, int] = (50_000, 10), **more: Any) -> Row:
    return row("10.0.0.5:3001", f"{server}:{30_000 + int(start)}", start=start, payload=payload, **more)


def test_control_and_data_of_one_run_are_one_session() -> None:
    (session,) = sessions(control(), data(1), data(5, "66.241.7.2"))
    assert session.vendor == "drbackup"
    assert session.client_ip == "10.0.0.5"
    assert session.servers == ("66.241.7.1", "66.241.7.2")
    assert (session.start_ns, session.end_ns) == (CAPTURE_START_NS, CAPTURE_START_NS + 60 * 10**9)
    assert (session.kind, session.files) == ("backup", 2)
    assert (session.bytes_up, session.bytes_down) == (100_100, 120)
    assert session.secured is None
    assert session.outcome == "completed"


def test_silence_parts_two_runs_and_an_idle_control_session_joins_them() -> None:
    assert len(sessions(data(0), data(302))) == 2
    assert len(sessions(data(0), data(301))) == 1
    assert len(sessions(control(duration=1000), data(0), data(900))) == 1


def test_pulled_data_makes_a_restore() -> None:
    (session,) = sessions(control(), data(1, payload=(10, 50_000)))
    assert session.kind == "restore"


def test_clients_and_vendors_are_kept_apart() -> None:
    other = row("10.0.0.6:3000", f"{SERVER}:21", start=0)
    vendor = row("10.0.0.5:3000", "204.164.111.9:16384", start=0)
    found = sessions(control(), other, vendor)
    assert [(session.client_ip, session.vendor) for session in found] == [
        ("10.0.0.5", "drbackup"),
        ("10.0.0.5", "online-backup-service"),
        ("10.0.0.6", "drbackup"),
    ]


def test_registration_and_support_are_sessions_of_their_own() -> None:
    site = {"packs": {"drbackup": {"registration_servers": [SERVER]}}}
    support = row("10.0.0.5:3005", "96.231.233.4:443", start=0)
    found = sessions(control(), support, data(1, "66.241.7.2"), site=site)
    assert {session.kind for session in found} == {"registration", "support", "backup"}


def test_outcome_tells_how_the_run_ended() -> None:
    def outcome(*rows: Row) -> str:
        (session,) = sessions(*rows)
        return session.outcome

    assert outcome(control(history="S")) == "unanswered"
    assert outcome(control(history="Sr")) == "refused"
    assert outcome(control(history="ShADadr")) == "interrupted"
    assert outcome(control(history="ShADad")) == "unfinished"
    assert outcome(control(history="ShADadFfR")) == "completed"
    assert outcome(control(), data(1, history="Sr")) == "completed"


def test_what_the_outside_opened_and_other_traffic_is_no_session() -> None:
    inbound = row(f"{SERVER}:20", "10.0.0.5:50000")
    assert sessions(inbound, row("10.0.0.5:3000", "8.8.8.8:443"), row("10.0.0.5:3000", f"{SERVER}:80")) == []


def test_session_is_reported_with_times_in_utc() -> None:
    (session,) = sessions(control())
    assert session.to_dict()["start"] == "2023-11-14T22:13:20.000000000Z"
