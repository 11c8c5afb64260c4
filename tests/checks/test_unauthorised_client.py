import pytest
from flowbuilder import row
from judging import ATTEMPT, MEDIUM, OBS, OPEN, SECURIDATA, exercised, judged, only, rows_of, undecided

CHECK = "unauthorised-client"
SERVER = "204.164.111.9:16384"
SITE = {"backup_hosts": ["10.0.0.5", "10.0.1.0/28", "10.0.2.1-10.0.2.9"]}


def test_other_hosts_are_found() -> None:
    found = only(CHECK, row("10.0.0.77:49152", SERVER), site=SITE)
    assert (found.severity, found.outcome, found.certain) == (MEDIUM, OPEN, True)
    assert only(CHECK, row("10.0.0.77:49152", SERVER, history="S"), site=SITE).outcome == ATTEMPT


def test_backup_hosts_are_silent() -> None:
    hosts = ("10.0.0.5", "10.0.1.0", "10.0.1.15", "10.0.2.1", "10.0.2.9")
    assert not judged(CHECK, *[row(f"{host}:49152", SERVER) for host in hosts], site=SITE)
    assert rows_of(CHECK, *[row(f"{host}:49152", SERVER) for host in ("10.0.1.16", "10.0.2.10")], site=SITE) == [0, 1]


def test_answered_sessions_put_it_to_the_test() -> None:
    flows = row("10.0.0.5:49152", SERVER), row("10.0.0.77:49152", SERVER), row("10.0.0.77:49153", SERVER, history="S")
    assert exercised(CHECK, *flows, site=SITE) == [0, 1]


def test_site_that_lists_no_hosts_is_silent() -> None:
    assert not judged(CHECK, row("10.0.0.77:49152", SERVER))
    assert exercised(CHECK, row("10.0.0.77:49152", SERVER)) == []


def test_vendor_without_networks_is_known_by_its_port() -> None:
    assert rows_of(CHECK, row("10.0.0.77:49152", "198.51.100.7:4401"), packs=[SECURIDATA], site=SITE) == [0]


def test_session_before_the_capture_is_inferred_where_only_the_port_speaks() -> None:
    at_home, elsewhere = judged(
        CHECK,
        row("10.0.0.77:49152", SERVER, history="Dd"),
        row("10.0.0.77:49152", "198.51.100.7:4401", history="Dd"),
        site=SITE,
    )
    assert (at_home.certain, elsewhere.certain) == (True, False)


@pytest.mark.parametrize(
    "flow",
    [
        row("204.164.111.9:4000", "10.0.0.77:22"),
        row(SERVER, "10.0.0.77:49152", history="R"),
        row("10.0.0.77:49152", "198.51.100.7:443"),
        row("10.0.0.77:49152", SERVER, "udp"),
        row("10.0.0.77:49152", "198.51.100.7:16384", "udp"),
    ],
)
def test_what_the_host_did_not_open_with_the_vendor_is_silent(flow: object) -> None:
    assert not judged(CHECK, flow, site=SITE)


def test_port_scan_is_not_looking_for_the_vendor() -> None:
    flows = row("10.0.0.77:49152", "198.51.100.7:16384", history="S"), row("10.0.0.77:49152", SERVER, history="S")
    scans = [("10.0.0.77", "198.51.100.7"), ("10.0.0.77", "204.164.111.9")]
    assert rows_of(CHECK, *flows, site=SITE, port_scans=scans) == [1]


def test_address_that_stands_for_several_hosts_is_undecided() -> None:
    nat = {**SITE, "vantage": "outside", "nat": ["192.0.2.1"]}
    assert not judged(CHECK, row("192.0.2.1:49152", SERVER), packs=[OBS], site=nat)
    assert undecided(CHECK, row("192.0.2.1:49152", SERVER), packs=[OBS], site=nat) == [0]
    assert exercised(CHECK, row("192.0.2.1:49152", SERVER), packs=[OBS], site=nat) == []
    proxy = {**SITE, "proxies": [{"kind": "socks", "address": "10.0.0.9", "port": "1080"}]}
    assert rows_of(CHECK, row("10.0.0.9:49152", SERVER), row("10.0.0.8:49152", SERVER), site=proxy) == [1]
