"""Vendor, service, role, basis and direction of flows."""

from __future__ import annotations

from typing import Any

import pytest
from flowbuilder import Row, classified, row

from auditor.flow import Basis, Direction, Role, RoleBasis

SITE_SECURIDATA = {"packs": {"securidata": {"networks": ["203.0.113.0/28"]}}}
GUI = {
    "packs": {
        "securidata": {
            "networks": ["203.0.113.0/28"],
            "features": {"gui-monitoring": {"networks": ["198.51.100.0/24"]}},
        }
    }
}


def one(described: Row, **arguments: Any) -> tuple[str, str, str, str, str]:
    """Vendor, service, role, role_basis and direction of a single flow."""
    flows, context = classified(described, **arguments)
    return (
        context.labels.vendors[flows.vendor[0]],
        context.labels.services[flows.service[0]],
        Role(flows.role[0]).name.lower(),
        RoleBasis(flows.role_basis[0]).name.lower(),
        Direction(flows.direction[0]).name.lower(),
    )


def test_small_session_on_a_shared_port_is_control_and_a_large_one_data() -> None:
    small = row("10.0.0.5:3000", "204.164.111.9:16384", payload=(16383, 16383))
    large = row("10.0.0.5:3000", "204.164.111.9:16384", payload=(0, 16384))
    assert one(small) == ("online-backup-service", "backup", "control", "volume", "outbound")
    assert one(large) == ("online-backup-service", "backup", "data", "volume", "outbound")


def test_ftp_ports_give_control_and_data() -> None:
    assert one(row("10.0.0.5:3000", "66.241.7.30:21")) == ("drbackup", "control", "control", "port", "outbound")
    assert one(row("10.0.0.5:3000", "66.241.7.1:211")) == (
        "drbackup",
        "control-alternate",
        "control",
        "port",
        "outbound",
    )
    data = one(row("10.0.0.5:3001", "66.241.7.1:60000"))
    assert data == ("drbackup", "data", "data", "inferred", "outbound")


@pytest.mark.parametrize("server", ["66.241.7.0:21", "66.241.7.31:21", "193.239.112.255:21"])
def test_addresses_beside_a_published_range_are_nobodys(server: str) -> None:
    assert one(row("10.0.0.5:3000", server))[:3] == ("", "", "other")


def test_port_that_no_service_lists_is_unpublished() -> None:
    assert one(row("10.0.0.5:3000", "66.241.7.1:80"))[:3] == ("drbackup", "", "unpublished")
    assert one(row("10.0.0.5:3000", "96.231.233.4:21"))[:3] == ("drbackup", "", "unpublished")
    assert one(row("10.0.0.5:3000", "96.231.233.4:443"))[:3] == ("drbackup", "support", "support")


def test_syn_from_the_vendor_is_inbound() -> None:
    found = one(row("66.241.7.1:20", "10.0.0.5:50000", history="S"))
    assert found == ("drbackup", "", "inbound", "port", "inbound")


def test_inside_syn_ack_alone_is_inferred_to_be_inbound() -> None:
    found = one(row("66.241.7.1:20", "10.0.0.5:50000", history="^hAd", basis=Basis.SYN_ACK))
    assert found == ("drbackup", "", "inbound", "inferred", "inbound")


def test_lone_syn_ack_of_an_inside_host_is_inferred_to_be_inbound() -> None:
    found = one(row("10.0.0.5:50000", "66.241.7.1:20", history="H"))
    assert found == ("drbackup", "", "inbound", "inferred", "inbound")


def test_midstream_flow_is_never_inbound() -> None:
    flows, _ = classified(
        row("66.241.7.1:21", "10.0.0.5:50000", history="Da"),
        row("66.241.7.1:20", "10.0.0.5:50000", history="Da"),
        row("66.241.7.1:20", "10.0.0.5:50001", history="D"),
    )
    assert Role.INBOUND not in flows.role
    assert Direction.INBOUND not in flows.direction


def test_midstream_flow_takes_the_role_of_its_published_port() -> None:
    flows, _ = classified(row("66.241.7.1:21", "10.0.0.5:50000", history="Da"))
    assert flows.role[0] == Role.CONTROL
    assert not flows.client_is_initiator[0]
    assert flows.direction[0] == Direction.OUTBOUND


def test_answers_alone_are_return_traffic() -> None:
    assert one(row("66.241.7.1:21", "10.0.0.5:50000", history="DA"))[2:4] == ("return", "inferred")
    syn_ack_first = row("10.0.0.5:50000", "66.241.7.1:21", history="^hd", basis=Basis.SYN_ACK)
    assert one(syn_ack_first)[2:] == ("return", "port", "outbound")


def test_signature_port_outside_all_networks_names_the_candidates_in_use() -> None:
    syn = row("10.0.0.5:3000", "8.8.8.8:16384", history="S")
    candidates = "backup-direct|connected-backup|online-backup-service"
    assert one(syn) == (candidates, "", "unpublished", "port", "outbound")
    assert one(syn, packs=["connected-backup", "drbackup"])[0] == "connected-backup"
    assert one(syn, packs=["drbackup"])[0] == ""
    assert one(row("10.0.0.5:3000", "8.8.8.8:211", history="S"))[0] == "drbackup"


def test_site_that_lists_packs_limits_the_candidates() -> None:
    syn = row("10.0.0.5:3000", "8.8.8.8:16384", history="S")
    assert one(syn, site={"packs": {"backup-direct": {}}})[0] == "backup-direct"


@pytest.mark.parametrize(
    "described",
    [
        row("10.0.0.5:3000", "8.8.8.8:16384", "udp"),
        row("10.0.0.5:16384", "8.8.8.8:443"),
        row("8.8.8.8:16384", "10.0.0.5:443"),
        row("8.8.8.8:16384", "10.0.0.5:443", history="Da"),
        row("10.0.0.5:443", "8.8.8.8:16384", history="Da"),
        row("10.0.0.5:3000", "10.0.0.6:16384"),
        row("10.0.0.5:3000", "8.8.8.8:21"),
        row("8.8.8.8:3000", "9.9.9.9:16384"),
        row("10.0.0.5:3000", "239.1.1.1:16384", history="S"),
    ],
    ids=[
        "udp is somebody's voice",
        "a client port",
        "an outside client's port",
        "midstream, an outside client's port",
        "midstream, an inside server",
        "inside destination",
        "ftp of no vendor",
        "both outside",
        "multicast",
    ],
)
def test_what_only_looks_like_a_vendors_port_is_nobodys(described: Row) -> None:
    assert one(described)[:3] == ("", "", "other")


def test_midstream_flow_to_a_signature_port_needs_an_ephemeral_client_port() -> None:
    assert one(row("10.0.0.5:50000", "8.8.8.8:16384", history="Da"))[2] == "unpublished"


def test_vendor_without_networks_is_known_by_its_port_anywhere() -> None:
    found = one(row("10.0.0.5:3000", "203.0.113.5:4401", payload=(20_000, 5)))
    assert found == ("securidata", "backup", "data", "volume", "outbound")
    elsewhere = one(row("10.0.0.5:3000", "8.8.8.8:4401"), site=SITE_SECURIDATA)
    assert elsewhere[:3] == ("securidata", "", "unpublished")


def test_site_gives_networks_to_a_pack() -> None:
    udp = one(row("10.0.0.5:3000", "203.0.113.5:4401", "udp"), site=SITE_SECURIDATA)
    assert udp[:3] == ("securidata", "", "unpublished")
    further = {"packs": {"drbackup": {"networks": ["203.0.113.64/28"]}}}
    assert one(row("10.0.0.5:3000", "203.0.113.70:21"), site=further)[:3] == ("drbackup", "control", "control")


def test_feature_that_is_on_lets_its_networks_in_and_nobody_else() -> None:
    asked = row("198.51.100.7:3000", "10.0.0.5:4403")
    assert one(asked, site=GUI) == ("securidata", "gui-monitoring", "gui", "port", "inbound")
    assert one(row("198.51.100.7:3000", "10.0.0.5:4403", "udp"), site=GUI)[2] == "gui"
    assert one(asked, site=SITE_SECURIDATA)[2] == "other"
    assert one(row("203.0.113.5:3000", "10.0.0.5:4403"), site=GUI)[2] == "inbound"
    assert one(row("198.51.100.7:3000", "10.0.0.5:22"), site=GUI)[2] == "other"


def test_registration_wins_over_volume() -> None:
    site = {"packs": {"online-backup-service": {"registration_servers": ["204.164.111.2", "203.0.113.3"]}}}
    found = one(row("10.0.0.5:3000", "204.164.111.2:16384", payload=(10**6, 0)), site=site)
    assert found == ("online-backup-service", "backup", "registration", "port", "outbound")
    assert one(row("10.0.0.5:3000", "204.164.111.3:16384", payload=(10**6, 0)), site=site)[2] == "data"
    assert one(row("10.0.0.5:3000", "203.0.113.3:16384"), site=site)[2] == "registration"


def test_nat_addresses_are_inside_where_the_capture_was_taken_outside() -> None:
    site = {"inside": ["10.0.0.0/8"], "vantage": "outside", "nat": ["198.51.100.9"]}
    assert one(row("198.51.100.9:3000", "8.8.8.8:16384"), site=site)[2] == "unpublished"
    assert one(row("66.241.7.1:20", "198.51.100.9:3000", history="S"), site=site)[4] == "inbound"


def test_client_that_is_not_inside_keeps_its_role_but_has_no_direction() -> None:
    found = one(row("141.10.1.1:3000", "66.241.7.1:21"))
    assert found == ("drbackup", "control", "control", "port", "neither")
    opened = one(row("66.241.7.1:20", "141.10.1.1:3000", history="S"))
    assert opened[2:] == ("unpublished", "port", "neither")


def test_networks_shared_by_two_packs_name_both_unless_the_port_tells() -> None:
    both = {"packs": {"securidata": {"networks": ["203.0.113.0/28"]}, "drbackup": {"networks": ["203.0.113.0/28"]}}}
    assert one(row("10.0.0.5:3000", "203.0.113.5:80"), site=both)[0] == "drbackup|securidata"
    assert one(row("10.0.0.5:3000", "203.0.113.5:4401"), site=both)[0] == "securidata"
    assert one(row("10.0.0.5:3000", "203.0.113.5:21"), site=both)[0] == "drbackup"


def test_icmp_request_from_the_vendor_is_inbound_and_an_error_is_not() -> None:
    assert one(row("204.164.111.9:8", "10.0.0.5:0", "icmp"))[2:] == ("inbound", "inferred", "inbound")
    assert one(row("204.164.111.9:3", "10.0.0.5:1", "icmp"))[2:] == ("unpublished", "port", "inbound")


def test_udp_from_the_vendor_is_inferred_to_be_inbound() -> None:
    assert one(row("204.164.111.9:16384", "10.0.0.5:53", "udp"))[2:] == ("inbound", "inferred", "inbound")


def test_site_proxies_and_resolvers_have_roles_of_their_own() -> None:
    site = {"proxies": [{"kind": "socks", "address": "10.0.0.9", "port": 1080}], "resolvers": ["10.0.0.53"]}
    assert one(row("10.0.0.5:3000", "10.0.0.9:1080"), site=site)[:3] == ("", "", "proxy")
    assert one(row("10.0.0.5:3000", "10.0.0.9:1081"), site=site)[2] == "other"
    assert one(row("10.0.0.5:3000", "10.0.0.53:53", "udp"), site=site)[2] == "resolver"


def test_ipv6_flows_are_told_by_the_same_rules() -> None:
    site = {"packs": {"securidata": {"networks": ["2001:db8:7::/64"]}}}
    assert one(row("[fd00::5]:3000", "[2001:db8:7::1]:4401"), site=site)[:3] == ("securidata", "backup", "control")
    assert one(row("[fd00::5]:3000", "[2001:db8:8::1]:16384"), site={})[2] == "unpublished"
    assert one(row("[fd00::5]:3000", "[fe80::1]:16384"))[2] == "other"


def test_empty_flow_table_is_classified() -> None:
    flows, context = classified()
    assert len(flows) == 0
    assert context.labels.vendors == ("",)


def test_most_flows_are_other_and_have_a_direction_all_the_same() -> None:
    flows, _ = classified(row("10.0.0.5:3000", "8.8.8.8:443"), row("8.8.8.8:3000", "10.0.0.5:443"))
    assert flows.role.tolist() == [Role.OTHER, Role.OTHER]
    assert flows.direction.tolist() == [Direction.OUTBOUND, Direction.INBOUND]
    assert flows.client_is_initiator.tolist() == [True, False]
