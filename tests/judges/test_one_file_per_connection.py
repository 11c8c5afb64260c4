"""Whether each file went by a data connection of its own."""

from typing import Any

from flowbuilder import Row, row
from verdicts import verdict

from auditor.judges.base import Verdict

NODE = "66.241.7.9"
CONTROL = row("10.0.0.5:3000", f"{NODE}:21", start=0, duration=60)
GREETING = {"flow": 0, "kind": "ftp-greeting", "time": 0.1}


def judged(*rows: Row, events: list[dict[str, Any]]) -> Verdict:
    return verdict("one-file-per-connection", "drbackup", CONTROL, *rows, events=events)


def data(port: int, start: float) -> Row:
    return row("10.0.0.5:3001", f"{NODE}:{port}", start=start, payload=(9000, 0))


def passive(time: float, port: int) -> dict[str, Any]:
    return {"flow": 0, "kind": "ftp-passive", "time": time, "address": NODE, "port": port}


def transfer(time: float, verb: str = "stor", flag: int = 1) -> dict[str, Any]:
    return {"flow": 0, "kind": "ftp-transfer", "time": time, "text": verb, "flag": flag}


def test_a_connection_for_each_transfer_is_as_published() -> None:
    events = [GREETING, passive(1, 30_001), transfer(1.1, flag=-1), transfer(1.2), passive(5, 30_001), transfer(5.1)]
    found = judged(data(30_001, 1.1), data(30_001, 5.1), events=events)
    assert found == (
        "met",
        "2 file transfers in 1 readable control session, each by a data connection of its own",
    )


def test_two_files_by_one_assigned_port_are_not() -> None:
    events = [GREETING, passive(1, 30_001), transfer(1.2), transfer(2, "appe")]
    assert judged(data(30_001, 1.1), events=events).status == "violated"


def test_listings_and_refused_transfers_are_no_files() -> None:
    events = [GREETING, passive(1, 30_001), transfer(1.1, flag=0), transfer(1.2, "list"), transfer(1.3)]
    assert judged(data(30_001, 1.1), events=events).status == "met"


def test_a_transfer_whose_connection_was_not_captured_is_inconclusive() -> None:
    assert judged(events=[GREETING, passive(1, 30_001), transfer(1.2)]).status == "inconclusive"


def test_in_active_mode_the_servers_connection_carries_the_file() -> None:
    asked = {"flow": 0, "kind": "ftp-active", "time": 1, "address": "10.0.0.5", "port": 5000, "flag": -1}
    called = row(f"{NODE}:20", "10.0.0.5:5000", start=1.1)
    assert judged(called, events=[GREETING, asked, transfer(1.2)]).status == "met"


def test_under_tls_connections_are_counted_and_prove_nothing() -> None:
    found = judged(data(30_001, 1), data(30_002, 2), events=[{"flow": 0, "kind": "ftp-opaque", "time": 0.2}])
    assert found.status == "inconclusive"
    assert found.evidence.startswith("2 data connections under 1 encrypted control session")


def test_a_control_session_read_in_part_may_hide_an_assignment() -> None:
    lost = {"flow": 0, "kind": "lost", "time": 1.5, "text": "ftp"}
    events = [GREETING, passive(1, 30_001), transfer(1.2), lost, transfer(2)]
    assert judged(data(30_001, 1.1), events=events).status != "violated"
