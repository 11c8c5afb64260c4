from flowbuilder import row
from judging import LOW, OBS, exercised, judged, rows_of, undecided

CHECK = "server-set-exceeded"


def visits(*servers: int, client: str = "10.0.0.5", history: str = "ShADadFf", start: float = 1000.0) -> list[object]:
    """One session with each of the servers 204.164.111.x, in this order."""
    return [
        row(f"{client}:49152", f"204.164.111.{last}:16384", history=history, start=start + at)
        for at, last in enumerate(servers)
    ]


def test_servers_beyond_two_pairs_are_named_in_the_order_of_their_answers() -> None:
    found = judged(CHECK, *visits(9, 8, 7, 6, 5, 4, 5, 9))
    assert [one.row for one in found] == [4, 5, 6]
    assert {one.severity for one in found} == {LOW}


def test_two_pairs_are_silent_however_often_they_are_called() -> None:
    assert not judged(CHECK, *visits(9, 8, 7, 6, 9, 8, 7, 6))


def test_order_is_that_of_time_not_of_the_table() -> None:
    assert rows_of(CHECK, *visits(5, start=5000.0), *visits(9, 8, 7, 6)) == [0]


def test_every_client_has_a_set_of_its_own() -> None:
    flows = visits(1, 2, 3, 4) + visits(5, 6, 7, 8, client="10.0.0.6") + visits(1, 2, 3, 4, 5, client="10.0.0.7")
    assert rows_of(CHECK, *flows) == [12]


def test_servers_that_do_not_answer_do_not_count() -> None:
    assert not judged(CHECK, *visits(1, 2, 3, 4), *visits(5, history="S"), *visits(6, history="Sr"))


def test_site_given_registration_servers_leave_one_pair() -> None:
    site = {"packs": {OBS: {"registration_servers": ["204.164.111.1", "204.164.111.2"]}}}
    assert not judged(CHECK, *visits(1, 2, 3, 4), packs=[OBS], site=site)
    assert rows_of(CHECK, *visits(1, 2, 3, 4, 5), packs=[OBS], site=site) == [4]
    assert rows_of(CHECK, *visits(3, 4, 5), packs=[OBS], site=site) == [2]


def test_pack_without_registration_may_use_any_node() -> None:
    assert not judged(CHECK, *[row("10.0.0.5:40000", f"66.241.7.{last}:21") for last in range(1, 20)])


def test_answered_sessions_of_packs_with_registration_put_it_to_the_test() -> None:
    flows = visits(1) + visits(2, history="S") + [row("10.0.0.5:40000", "66.241.7.1:21")]
    assert exercised(CHECK, *flows) == [0]


def test_servers_outside_the_networks_are_another_checks_concern() -> None:
    assert not judged(CHECK, *[row("10.0.0.5:40000", f"198.51.100.{last}:16384") for last in range(1, 9)], packs=[OBS])


def test_address_that_stands_for_several_clients_is_undecided() -> None:
    site = {"vantage": "outside", "nat": ["192.0.2.1"]}
    flows = visits(1, 2, 3, 4, 5, client="192.0.2.1")
    assert not judged(CHECK, *flows, packs=[OBS], site=site)
    assert undecided(CHECK, *flows, packs=[OBS], site=site) == [0, 1, 2, 3, 4]
    assert exercised(CHECK, *flows, packs=[OBS], site=site) == []
    proxy = {"proxies": [{"kind": "http", "address": "10.0.0.5", "port": "3128"}]}
    assert not judged(CHECK, *visits(1, 2, 3, 4, 5), site=proxy)
