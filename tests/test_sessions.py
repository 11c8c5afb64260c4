"""Backup runs made from flows."""

from __future__ import annotations

from typing import Any

from flowbuilder import CAPTURE_START_NS, Row, classified, row

from auditor.sessions import Session, sessions_of

SERVER = "66.241.7.1"


def sessions(*rows: Row, **more: Any) -> list[Session]:
    return sessions_of(*classified(*rows, **more))


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


GREETING = {"flow": 0, "kind": "ftp-greeting", "time": 0.1}


def announced(time: float, port: int, *verbs: str) -> list[dict[str, Any]]:
    """What a control session says of one data connection."""
    passive = {"flow": 0, "kind": "ftp-passive", "time": time, "address": SERVER, "port": port}
    asked = [{"flow": 0, "kind": "ftp-transfer", "time": time + 0.01, "text": verb} for verb in verbs]
    return [passive, *asked]


def test_listings_are_no_files_where_the_control_session_is_readable() -> None:
    listing = data(1, payload=(0, 90_000))
    events = [GREETING, *announced(1, 30_001, "mlsd"), *announced(5, 30_005, "stor")]
    (session,) = sessions(control(), listing, data(5), events=events)
    assert (session.kind, session.files) == ("backup", 1)
    assert session.bytes_down == 90_110
    (unread,) = sessions(control(), listing, data(5))
    assert (unread.kind, unread.files) == ("restore", 2)


def test_a_transfer_belongs_to_the_endpoint_announced_before_it() -> None:
    events = [GREETING, *announced(1, 30_001), *announced(5, 30_005, "list")]
    (session,) = sessions(control(), data(1), data(5), events=events)
    assert session.files == 1


def test_an_announced_connection_on_an_unpublished_port_carries_a_file_as_well() -> None:
    stray = row("10.0.0.5:3001", f"{SERVER}:15000", start=2, payload=(70_000, 0))
    (session,) = sessions(control(), stray, events=[GREETING, *announced(1, 15_000, "stor")])
    assert (session.files, session.bytes_up) == (1, 70_100)
    (without,) = sessions(control(), stray)
    assert without.files == 0


def secured(*events: dict[str, Any], samples: tuple[dict[str, Any], ...] = ()) -> bool | None:
    (session,) = sessions(control(), data(1), events=list(events), samples=samples)
    return session.secured


def test_a_session_is_secured_as_its_control_connection_is() -> None:
    opaque = {"flow": 0, "kind": "ftp-opaque", "time": 0.2, "flag": 0}
    assert secured() is None
    assert secured(GREETING) is False
    assert secured(GREETING, opaque) is True
    assert secured(GREETING, {"flow": 0, "kind": "ftp-user", "time": 0.15}, opaque) is False
    assert secured({"flow": 0, "kind": "lost", "text": "ftp", "time": 0.2}) is None


def test_data_that_was_sampled_and_is_readable_makes_it_open() -> None:
    opaque = {"flow": 0, "kind": "ftp-opaque", "time": 0.2, "flag": 0}
    readable = {"flow": 1, "bytes_forward": 8192, "entropy_forward": 4.5}
    assert secured(GREETING, opaque, samples=(readable,)) is False
    assert secured(GREETING, opaque, samples=({**readable, "bytes_forward": 8191},)) is True
    assert secured(GREETING, opaque, samples=({**readable, "is_tls_forward": 1},)) is True
    random = {"flow": 1, "bytes_forward": 8192, "entropy_forward": 7.9}
    assert secured(samples=(random,)) is None, "of the control connection nothing is known"


def test_sessions_on_one_port_are_secured_as_their_samples_say() -> None:
    backup = row("10.0.0.5:3000", "204.164.111.9:16384", payload=(50_000, 10))
    (session,) = sessions(backup, samples=[{"flow": 0, "bytes_forward": 50_000, "entropy_forward": 7.99}])
    assert session.secured is True
    (session,) = sessions(backup, samples=[{"flow": 0, "bytes_forward": 50_000, "entropy_forward": 5.0}])
    assert session.secured is False


def test_of_what_servers_sent_only_a_restore_counts() -> None:
    def pulled(size: int) -> bool | None:
        flow = row("10.0.0.5:3000", "204.164.111.9:16384", payload=(100, size))
        (session,) = sessions(flow, samples=[{"flow": 0, "bytes_reverse": 9000, "entropy_reverse": 5.0}])
        return session.secured

    assert pulled(9_000) is None
    assert pulled(16_384) is False


def test_sessions_through_a_proxy_are_with_its_target() -> None:
    proxied = row("10.0.0.5:3000", "10.0.0.9:1080", payload=(50_000, 10))
    request = {"flow": 0, "kind": "socks-request", "address": "204.164.111.9", "port": 16384}
    named = {"flow": 1, "kind": "socks-request", "text": "rbs.drbackup.net", "port": 21}
    first, second = sessions(proxied, proxied, events=[request, named])
    assert (first.vendor, first.servers) == ("drbackup", ("rbs.drbackup.net",))
    assert (second.vendor, second.servers) == ("online-backup-service", ("204.164.111.9",))
    assert second.files == 1


def active(time: float, port: int, verb: str, *, extended: bool = False) -> list[dict[str, Any]]:
    """A client asks for active mode, then for a transfer."""
    asked = {"flow": 0, "kind": "ftp-active", "address": "10.0.0.5", "port": port, "number": int(extended)}
    begun = {"flow": 0, "kind": "ftp-transfer", "time": time + 0.02, "text": verb}
    return [asked | {"time": time}, asked | {"time": time + 0.01, "flag": 1}, begun]


def called(port: int, start: float, payload: tuple[int, int] = (0, 50_000), source: int = 20) -> Row:
    """A data connection that the server opens; the client's bytes are the responder's."""
    return row(f"{SERVER}:{source}", f"10.0.0.5:{port}", start=start, payload=payload)


def test_files_of_active_mode_belong_to_the_session() -> None:
    events = [GREETING, *active(1, 5001, "stor"), *active(5, 5005, "stor", extended=True)]
    (session,) = sessions(control(), called(5001, 1.1), called(5005, 5.1, source=40_000), events=events)
    assert (session.kind, session.files, session.bytes_up) == ("backup", 2, 100_100)
    assert session.outcome == "completed"


def test_a_file_fetched_in_active_mode_makes_a_restore_and_a_listing_none() -> None:
    (session,) = sessions(control(), called(5001, 1.1, (50_000, 0)), events=[GREETING, *active(1, 5001, "retr")])
    assert (session.kind, session.files) == ("restore", 1)
    (session,) = sessions(control(), called(5001, 1.1, (50_000, 0)), events=[GREETING, *active(1, 5001, "list")])
    assert (session.kind, session.files) == ("backup", 0)


def test_under_tls_a_connection_from_port_20_is_the_open_control_sessions() -> None:
    (session,) = sessions(control(), called(5001, 1.1))
    assert (session.files, session.bytes_up) == (1, 50_100)
    (session,) = sessions(control(), called(5001, 1.1, source=40_000))
    assert session.files == 0
    (session,) = sessions(control(duration=1), called(5001, 100))
    assert session.files == 0


def test_unanswered_data_connections_carry_no_file() -> None:
    (session,) = sessions(control(), data(1), data(5, history="S"))
    assert session.files == 1
