"""The packs' tests are data: an address and a port in, the vendor and the service out."""

from __future__ import annotations

import pytest

from auditor.addresses import parse_address
from auditor.rulepack import find_pack, shipped_packs

SHARED = {"backup-direct", "connected-backup", "online-backup-service"}

# address, protocol, port → every (vendor, service) that publishes it there
PUBLISHED = {
    "66.241.7.0 tcp 21": "",
    "66.241.7.1 tcp 21": "drbackup/control",
    "66.241.7.1 udp 21": "",
    "66.241.7.15 tcp 211": "drbackup/control-alternate",
    "66.241.7.30 tcp 21": "drbackup/control",
    "66.241.7.31 tcp 21": "",
    "66.241.7.9 tcp 19999": "",
    "66.241.7.9 tcp 20000": "drbackup/data",
    "66.241.7.9 tcp 60000": "drbackup/data",
    "66.241.7.9 tcp 60001": "",
    "66.241.7.9 tcp 20": "",
    "66.241.7.9 tcp 443": "",
    "96.231.233.4 tcp 443": "drbackup/support",
    "96.231.233.4 tcp 8008": "drbackup/support",
    "96.231.233.4 tcp 21": "",
    "96.231.233.5 tcp 443": "",
    "204.164.110.255 tcp 16384": "",
    "204.164.111.0 tcp 16384": "online-backup-service/backup",
    "204.164.111.63 tcp 16384": "online-backup-service/backup",
    "204.164.111.64 tcp 16384": "",
    "204.164.111.9 udp 16384": "",
    "204.164.111.9 tcp 16385": "",
    "140.239.228.255 tcp 16384": "",
    "140.239.229.0 tcp 16384": "online-backup-service/backup",
    "140.239.229.63 tcp 16384": "online-backup-service/backup",
    "140.239.229.64 tcp 16384": "",
    "193.239.111.255 tcp 16384": "",
    "193.239.112.0 tcp 16384": "backup-direct/backup",
    "193.239.112.254 tcp 16384": "backup-direct/backup",
    "193.239.112.255 tcp 16384": "",
    "193.239.113.0 tcp 16384": "backup-direct/backup",
    "193.239.113.254 tcp 16384": "backup-direct/backup",
    "193.239.113.255 tcp 16384": "",
    "193.239.114.0 tcp 16384": "",
    "12.159.132.255 tcp 16384": "",
    "12.159.133.0 tcp 16384": "connected-backup/backup",
    "12.159.133.63 tcp 16384": "connected-backup/backup",
    "12.159.133.64 tcp 16384": "",
    "66.151.227.255 tcp 16384": "",
    "66.151.228.0 tcp 16384": "connected-backup/backup",
    "66.151.228.255 tcp 16384": "connected-backup/backup",
    "66.151.229.0 tcp 16384": "",
    "198.51.100.1 tcp 4401": "",
}

STATEMENTS = {
    "drbackup": "programs passive-only client-initiates push random-node cluster-name range control-port data-ports "
    "one-port-per-file control-spans-data encrypted ips-exclusion support-tool",
    "online-backup-service": "client-initiates tcp-only networks port no-dns registration high-availability socks "
    "mapped-proxy packet-filter-out packet-filter-return encrypted address-change",
    "backup-direct": "client-initiates tcp-only networks port no-dns registration high-availability socks "
    "mapped-proxy packet-filter-out packet-filter-return encrypted address-change",
    "connected-backup": "client-initiates tcp-only networks port no-dns registration high-availability socks "
    "mapped-proxy packet-filter-out packet-filter-return encrypted address-change session-length",
    "securidata": "ports conflict client-initiates gui-monitoring single-host transparency multi-homed no-networks",
}


@pytest.mark.parametrize(("asked", "expected"), PUBLISHED.items())
def test_a_published_address_and_port_has_its_vendor_and_service(asked: str, expected: str) -> None:
    address, protocol, port = asked.split()
    found = [
        f"{pack.id}/{service.id}"
        for pack in shipped_packs()
        for service in pack.services
        if protocol in service.protocols
        and any(int(port) in ports for ports in service.ports)
        and any(
            parse_address(address) in item
            for group in service.networks or pack.networks
            for item in pack.networks[group]
        )
    ]
    assert found == ([expected] if expected else [])


def test_every_published_statement_is_in_its_pack() -> None:
    assert {pack.id: [s.id for s in pack.statements] for pack in shipped_packs()} == {
        name: ids.split() for name, ids in STATEMENTS.items()
    }


def test_signature_ports_name_their_candidates() -> None:
    owners: dict[str, set[str]] = {}
    for pack in shipped_packs():
        for service in pack.services:
            for ports in service.ports if service.signature else ():
                owners.setdefault(f"{ports}/{'+'.join(service.protocols)}", set()).add(pack.id)
    assert owners == {"16384/tcp": SHARED, "211/tcp": {"drbackup"}, "4401/tcp": {"securidata"}}


def test_both_networks_that_a_client_has_to_reach_are_groups_of_their_own() -> None:
    for name in SHARED:
        pack = find_pack(name)
        assert [len(group) for group in pack.networks.values()] == [1, 1]
        assert pack.services[0].networks == ()


def test_the_host_of_the_support_tool_is_a_group_of_its_own() -> None:
    pack = find_pack("drbackup")
    assert [str(item) for item in pack.networks["support"]] == ["96.231.233.4"]
    assert {service.id: service.networks for service in pack.services} == {
        "control": ("cluster",),
        "control-alternate": ("cluster",),
        "data": ("cluster",),
        "support": ("support",),
    }


def test_only_the_documents_that_name_a_socks_port_give_one() -> None:
    ports = {pack.id: pack.proxies and pack.proxies.socks_default_port for pack in shipped_packs()}
    assert ports == {
        "backup-direct": 1080,
        "connected-backup": None,
        "drbackup": None,
        "online-backup-service": 1080,
        "securidata": None,
    }


def test_only_the_documents_that_do_without_names_need_no_dns() -> None:
    assert {pack.id for pack in shipped_packs() if not pack.needs_dns} == SHARED


def test_return_ports_are_published_by_three() -> None:
    returns = {pack.id: str(pack.returns.client_ports) for pack in shipped_packs() if pack.returns is not None}
    assert returns == dict.fromkeys(SHARED, "1024-5000")


def test_securidata_publishes_no_network_and_an_optional_service_from_outside() -> None:
    pack = find_pack("securidata")
    gui = pack.services[1]
    assert pack.networks == {}
    assert pack.features == ("gui-monitoring",)
    assert (gui.role, gui.direction, gui.protocols, gui.feature) == ("gui", "inbound", ("tcp", "udp"), "gui-monitoring")


def test_no_document_carries_a_date() -> None:
    assert all(pack.valid_from is None and pack.valid_until is None for pack in shipped_packs())
