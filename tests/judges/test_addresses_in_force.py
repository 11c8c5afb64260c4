"""Whether published addresses were in use on a day for which somebody vouches for them. Captured is 2023-11-14."""

from typing import Any

from flowbuilder import Row, row
from verdicts import verdict

from auditor.judges.base import Verdict

OBS = "online-backup-service"


def in_force(*rows: Row, **days: Any) -> Verdict:
    return verdict("addresses-in-force", OBS, *rows, site={"packs": {OBS: days, "backup-direct": {}}})


def call(server: str = "204.164.111.20") -> Row:
    return row("10.0.0.5:3000", f"{server}:16384", start=0)


def test_published_addresses_on_a_dated_day_are_in_force() -> None:
    for days in ({"valid_from": "2023-11-14"}, {"valid_until": "2023-11-14"}):
        assert in_force(call(), **days).status == "met"


def test_no_date_leaves_open_until_when_addresses_hold() -> None:
    found = in_force(call())
    assert found.status == "not exercised"
    assert "1 session answered at published addresses on 2023-11-14" in found.evidence


def test_a_day_for_which_nobody_vouches_is_inconclusive() -> None:
    for days in ({"valid_from": "2023-11-15"}, {"valid_until": "2023-11-13"}):
        assert in_force(call(), **days).status == "inconclusive"


def test_servers_elsewhere_may_be_new_ones_or_strangers() -> None:
    assert in_force(call(), call("198.51.100.1"), valid_from="2023-11-14").status == "inconclusive"
    assert in_force(call("198.51.100.1")).status == "inconclusive"


def test_attempts_and_other_vendors_tell_nothing() -> None:
    unheard = row("10.0.0.5:3000", "198.51.100.1:16384", history="S")
    assert in_force(unheard, call("193.239.112.9")).status == "not exercised"
