"""Which traffic the engine is asked to keep."""

from __future__ import annotations

from flowbuilder import enabled, number

from auditor.interest import interesting_networks, interesting_ports, signature_ports

SITE = {
    "packs": {
        "drbackup": {},
        "securidata": {
            "networks": ["203.0.113.0/28"],
            "features": {"gui-monitoring": {"networks": ["198.51.100.0/24"]}},
        },
    },
    "backup_hosts": ["10.1.2.3"],
    "proxies": [{"kind": "socks", "address": "10.0.0.9", "port": 1080}],
    "mapped_proxies": {"10.0.0.8:9001": "66.241.7.1"},
}


def test_networks_are_those_of_packs_features_hosts_proxies_and_mapped_ports() -> None:
    packs, site = enabled((), SITE)
    ranges = [
        ("10.0.0.8", "10.0.0.9"),
        ("10.1.2.3", "10.1.2.3"),
        ("66.241.7.1", "66.241.7.30"),
        ("96.231.233.4", "96.231.233.4"),
        ("198.51.100.0", "198.51.100.255"),
        ("203.0.113.0", "203.0.113.15"),
    ]
    assert interesting_networks(packs, site) == tuple((number(first), number(last)) for first, last in ranges)


def test_ports_are_the_signatures_of_the_packs_in_use() -> None:
    packs, _ = enabled((), SITE)
    assert signature_ports(packs) == {211: frozenset({0}), 4401: frozenset({1})}
    everybody, _ = enabled((), None)
    assert signature_ports(everybody)[16384] == frozenset({0, 1, 3})


def test_ports_of_proxies_are_wanted_where_a_proxy_is_published_or_listed() -> None:
    published, site = enabled(("online-backup-service",), None)
    assert interesting_ports(published, site) == (1080, 16384)
    unpublished, site = enabled(("connected-backup",), None)
    assert interesting_ports(unpublished, site) == (16384,)
    listed = {"proxies": [{"kind": "http", "address": "10.0.0.9", "port": 8888}]}
    assert interesting_ports(*enabled(("connected-backup",), listed)) == (3128, 8080, 8888, 16384)
