"""What the engine is asked to read of payloads."""

from __future__ import annotations

from flowbuilder import enabled, number

from auditor.wishes import listening

PROXIES = {"proxies": [{"kind": "socks", "address": "10.0.0.9", "port": 9000}]}


def test_control_ports_are_read_where_a_pack_negotiates_its_data_ports() -> None:
    heard = listening(*enabled(("drbackup",), None))
    assert heard.conversations == ((21, "ftp"), (53, "dns-tcp"), (211, "ftp"))
    assert heard.names == ("rbs.drbackup.net",)


def test_packs_without_names_ask_for_none() -> None:
    heard = listening(*enabled(("backup-direct",), None))
    assert heard.names == ()
    assert heard.conversations == ((1080, "socks"),)


def test_samples_are_taken_where_encryption_is_published_and_behind_mapped_ports() -> None:
    mapped = {"mapped_proxies": {"10.0.0.8:9001": "193.239.112.7"}}
    assert listening(*enabled(("backup-direct",), mapped)).samples == (
        (number("10.0.0.8"), number("10.0.0.8")),
        (number("193.239.112.0"), number("193.239.112.254")),
        (number("193.239.113.0"), number("193.239.113.254")),
    )
    assert (
        listening(*enabled(("securidata",), {"packs": {"securidata": {"networks": ["203.0.113.0/28"]}}})).samples == ()
    )


def test_a_site_that_lists_proxies_wants_to_know_of_others() -> None:
    usual = ((3128, "http-connect"), (8080, "http-connect"))
    assert listening(*enabled(("securidata",), PROXIES)).conversations == (*usual, (9000, "socks"))
    assert listening(*enabled(("securidata",), None)).conversations == ()


def test_a_listed_proxy_does_not_take_a_control_port_from_its_vendor() -> None:
    site = {"proxies": [{"kind": "http", "address": "10.0.0.9", "port": 211}]}
    assert (211, "ftp") in listening(*enabled(("drbackup",), site)).conversations
