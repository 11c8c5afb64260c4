"""Whether clients are known to have two servers."""

from flowbuilder import Row, row
from verdicts import verdict

from auditor.judges.base import Verdict

SITE = {"packs": {"online-backup-service": {"registration_servers": ["204.164.111.2"]}}}
PRIMARY, ALTERNATE = "204.164.111.20", "140.239.229.20"


def pairs(*rows: Row) -> Verdict:
    return verdict("server-pairs", "online-backup-service", *rows, site=SITE)


def call(server: str, client: str = "10.0.0.5", **more: str) -> Row:
    return row(f"{client}:3000", f"{server}:16384", **more)  # type: ignore[arg-type]


def test_a_client_that_two_servers_answered_has_a_pair() -> None:
    found = pairs(call(PRIMARY), call(ALTERNATE))
    assert found.status == "met"
    assert f"10.0.0.5 calls {PRIMARY} first, and {ALTERNATE} beside it" in found.evidence


def test_registration_servers_and_attempts_are_no_pair() -> None:
    assert pairs(call("204.164.111.2"), call(PRIMARY)).status == "not exercised"
    assert pairs(call(PRIMARY), call(ALTERNATE, history="S")).status == "not exercised"
    assert pairs(call(PRIMARY), call(ALTERNATE, client="10.0.0.6")).status == "not exercised"
