"""Primary and alternate, by whom a client calls first."""

from __future__ import annotations

from typing import Any

from flowbuilder import Row, classified, row

from auditor.pairs import Pair, pairs_of
from auditor.sessions import sessions_of

OWNER = ("online-backup-service", "10.0.0.5", False)


def test_the_primary_is_the_server_with_which_most_runs_begin() -> None:
    found = pairs_of([(OWNER, ["b"]), (OWNER, ["a", "b"]), (OWNER, ["a"])])
    assert found == {OWNER: Pair("a", "b")}


def test_of_two_with_as_many_runs_the_earlier_one_is_primary() -> None:
    assert pairs_of([(OWNER, ["b"]), (OWNER, ["a"])]) == {OWNER: Pair("b", "a")}


def test_one_server_alone_leaves_the_alternate_open_and_a_third_is_none_of_the_pair() -> None:
    assert pairs_of([(OWNER, ["a"])]) == {OWNER: Pair("a", None)}
    assert pairs_of([(OWNER, ["a", "b", "c"])]) == {OWNER: Pair("a", "b")}


def pairs(*rows: Row, **more: Any) -> list[tuple[str, str | None, str | None]]:
    return [(session.kind, session.primary, session.alternate) for session in sessions_of(*classified(*rows, **more))]


def call(server: str, start: float, **more: Any) -> Row:
    return row("10.0.0.5:3000", f"{server}:16384", start=start, payload=(20_000, 0), **more)


def test_every_session_of_a_client_tells_its_pair() -> None:
    found = pairs(
        call("204.164.111.20", 0),
        call("204.164.111.20", 1000),
        call("140.239.229.20", 1010),
        call("140.239.229.20", 2000),
    )
    assert found == [("backup", "204.164.111.20", "140.239.229.20")] * 3


def test_registration_has_a_pair_of_its_own() -> None:
    site = {"packs": {"online-backup-service": {"registration_servers": ["204.164.111.2", "140.239.229.2"]}}}
    refused = call("204.164.111.2", 0, history="Sr")
    found = pairs(refused, call("140.239.229.2", 1), call("204.164.111.20", 2), site=site)
    assert found == [
        ("registration", "204.164.111.2", "140.239.229.2"),
        ("backup", "204.164.111.20", None),
    ]


def test_vendors_who_assign_no_servers_have_no_pairs() -> None:
    assert pairs(row("10.0.0.5:3000", "66.241.7.9:21")) == [("backup", None, None)]
