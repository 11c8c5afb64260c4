import pytest
from flowbuilder import row
from judging import HIGH, INFO, exercised, judged, only, rows_of

CHECK = "return-port-outside-range"
SERVER = "204.164.111.9:16384"


def test_modern_client_port_is_worth_a_note() -> None:
    found = only(CHECK, row("10.0.0.5:49152", SERVER))
    assert (found.severity, found.certain) == (INFO, True)
    assert "1024-5000" in found.message


def test_explicit_return_rules_make_it_high() -> None:
    assert only(CHECK, row("10.0.0.5:49152", SERVER), site={"explicit_return_rules": "true"}).severity == HIGH


def test_both_ends_of_the_range_belong_to_it() -> None:
    flows = [row(f"10.0.0.5:{port}", SERVER) for port in (1023, 1024, 5000, 5001)]
    assert rows_of(CHECK, *flows) == [0, 3]


@pytest.mark.parametrize("history", ["S", "Sr"])
def test_attempt_needs_no_return(history: str) -> None:
    assert not judged(CHECK, row("10.0.0.5:49152", SERVER, history=history))


def test_servers_syn_ack_is_proof_enough_of_who_opened() -> None:
    assert rows_of(CHECK, row("10.0.0.5:49152", SERVER, history="^hAdD")) == [0]


def test_session_that_the_server_opened_is_silent() -> None:
    assert not judged(CHECK, row(SERVER, "10.0.0.5:49152"))


def test_flow_whose_opener_is_unknown_is_silent() -> None:
    assert not judged(CHECK, row("10.0.0.5:49152", SERVER, history="Dd"))


def test_packs_without_return_range_are_silent() -> None:
    assert not judged(CHECK, row("10.0.0.5:49152", "66.241.7.9:21"))
    assert exercised(CHECK, row("10.0.0.5:49152", "66.241.7.9:21"), row("10.0.0.5:2000", SERVER)) == [1]


def test_server_outside_the_networks_is_another_checks_concern() -> None:
    assert not judged(CHECK, row("10.0.0.5:49152", "198.51.100.1:16384"))


def test_site_given_network_counts() -> None:
    site = {"packs": {"online-backup-service": {"networks": ["198.51.100.0/24"]}}}
    assert rows_of(CHECK, row("10.0.0.5:49152", "198.51.100.1:16384"), site=site) == [0]
