"""Flows through proxies: where they go, and whose they are."""

from __future__ import annotations

from typing import Any

import pytest
from flowbuilder import Row, classified, number, row

from auditor.checks.base import Context
from auditor.exercise import exercise_of
from auditor.flow import Direction, Flows, Role, RoleBasis
from auditor.proxies import NOWHERE, Grant, Way, address_of_name, mapped_port
from auditor.rulepack import enable

OBS, SERVER, PORT = "online-backup-service", "204.164.111.9", 16384
PROXY = {"proxies": [{"kind": "socks", "address": "10.0.0.9", "port": 1080}]}
MAPPED = {"mapped_proxies": {"10.0.0.8:9001": SERVER}}


def through(proxy: str = "10.0.0.9:1080", **more: Any) -> Row:
    return row("10.0.0.5:3000", proxy, **more)


def request(address: str | None = SERVER, port: int = PORT, flow: int = 0, **more: Any) -> dict[str, Any]:
    target = {} if address is None else {"address": address}
    return {"flow": flow, "kind": "socks-request", "port": port, "number": 5, "more": ("connect",), **target, **more}


def reply(granted: bool, flow: int = 0, **more: Any) -> dict[str, Any]:
    return {"flow": flow, "kind": "socks-reply", "flag": int(granted), **more}


def connect(flow: int = 0, **more: Any) -> dict[str, Any]:
    return {"flow": flow, "kind": "http-connect", "port": PORT, "address": SERVER, **more}


def judged(*rows: Row, **more: Any) -> tuple[Flows, Context]:
    return classified(*rows, **{"site": PROXY, **more})


def label(flows: Flows, context: Context, at: int = 0) -> tuple[str, str, Role, RoleBasis]:
    names = context.labels
    return (
        names.vendors[flows.vendor[at]],
        names.services[flows.service[at]],
        Role(flows.role[at]),
        RoleBasis(flows.role_basis[at]),
    )


def test_a_proxied_flow_has_the_vendor_and_role_of_its_target() -> None:
    flows, context = judged(through(payload=(50_000, 100)), events=[request(), reply(True, time=1000.1)])
    assert label(flows, context) == (OBS, "backup", Role.DATA, RoleBasis.PROXY)
    found = context.proxied
    assert Way(found.way[0]) is Way.SOCKS
    assert Grant(found.granted[0]) is Grant.GRANTED
    assert bool(found.listed[0])
    assert (int(found.target_lo[0]), int(found.target_port[0])) == (number(SERVER), PORT)
    assert flows.responder_lo[0] == number("10.0.0.9"), "the flow itself stays one with the proxy"
    assert Direction(flows.direction[0]) is Direction.NEITHER
    assert bool(flows.client_is_initiator[0])


def test_small_sessions_through_a_proxy_are_control() -> None:
    flows, context = judged(through(), events=[request()])
    assert label(flows, context) == (OBS, "backup", Role.CONTROL, RoleBasis.PROXY)
    assert Grant(context.proxied.granted[0]) is Grant.UNKNOWN


def test_a_proxy_that_the_site_does_not_list_is_known_by_the_request() -> None:
    flows, context = judged(through("10.0.0.77:1080"), site=None, events=[request(), reply(False, time=1000.1)])
    assert label(flows, context)[0] == OBS
    assert not context.proxied.listed[0]
    assert Grant(context.proxied.granted[0]) is Grant.REFUSED


def test_a_target_that_is_nobodys_makes_the_flow_other() -> None:
    flows, context = judged(through(), events=[request("198.51.100.7", 443)])
    assert label(flows, context) == ("", "", Role.OTHER, RoleBasis.NONE)
    assert Way(context.proxied.way[0]) is Way.SOCKS


def test_what_a_proxy_carries_unread_has_the_role_proxy() -> None:
    flows, context = judged(through(), through("10.0.0.9:1081"))
    assert label(flows, context) == ("", "", Role.PROXY, RoleBasis.PORT)
    assert label(flows, context, 1)[2] is Role.OTHER
    assert [Way(way) for way in context.proxied.way] == [Way.UNREAD, Way.DIRECT]


def test_a_signature_port_outside_all_networks_is_unpublished_through_a_proxy_too() -> None:
    flows, context = judged(through(), events=[request("198.51.100.7")])
    vendors, _, role, basis = label(flows, context)
    assert (vendors, role, basis) == (
        "backup-direct|connected-backup|online-backup-service",
        Role.UNPUBLISHED,
        RoleBasis.PROXY,
    )


def test_a_published_name_leads_to_its_vendor_and_another_one_to_nobody_in_particular() -> None:
    events = [
        request(None, 21, text="RBS.drbackup.net"),
        request(None, PORT, flow=1, text="backup.example.com", time=1000.5),
        request(None, 80, flow=2, text="www.example.com", time=1000.6),
    ]
    flows, context = judged(through(), through(), through(), events=events)
    assert label(flows, context) == ("drbackup", "control", Role.CONTROL, RoleBasis.PROXY)
    assert label(flows, context, 1)[::2] == ("backup-direct|connected-backup|online-backup-service", Role.UNPUBLISHED)
    assert label(flows, context, 2)[2] is Role.OTHER
    found = context.proxied
    assert [found.names[name] for name in found.name] == ["rbs.drbackup.net", "backup.example.com", "www.example.com"]
    assert not found.has_address.any()


def test_a_name_stands_where_its_pack_has_the_service() -> None:
    packs = enable(None, ("drbackup",))
    assert address_of_name("rbs.drbackup.net", 21, packs) == number("66.241.7.1")
    assert address_of_name("rbs.drbackup.net.", 443, packs) == number("96.231.233.4")
    assert address_of_name("rbs.drbackup.net", 80, packs) == number("66.241.7.1")
    assert address_of_name("rbs.example.net", 21, packs) == NOWHERE


def test_connect_is_answered_by_a_status() -> None:
    def grant(status: int) -> Grant:
        answer = {"flow": 0, "kind": "http-connect-reply", "number": status, "time": 1000.1}
        found = judged(through(), events=[connect(), answer])[1].proxied
        assert Way(found.way[0]) is Way.HTTP
        return Grant(found.granted[0])

    assert [grant(status) for status in (200, 299, 407, 502)] == [
        Grant.GRANTED,
        Grant.GRANTED,
        Grant.REFUSED,
        Grant.REFUSED,
    ]


def test_the_last_request_of_a_flow_counts_and_only_answers_after_it() -> None:
    events = [request("198.51.100.7", 1080), reply(True, time=1000.1), request(time=1000.2)]
    flows, context = judged(through(), events=events)
    assert label(flows, context)[0] == OBS
    assert Grant(context.proxied.granted[0]) is Grant.UNKNOWN


def test_a_request_to_a_vendors_own_server_is_no_proxying() -> None:
    flows, context = judged(row("10.0.0.5:3000", f"{SERVER}:1080"), events=[request("66.241.7.1", 21)])
    assert label(flows, context)[::2] == (OBS, Role.UNPUBLISHED)
    assert Way(context.proxied.way[0]) is Way.DIRECT


def test_a_mapped_port_leads_to_the_server_that_the_site_names() -> None:
    flows, context = judged(through("10.0.0.8:9001", payload=(50_000, 0)), through("10.0.0.8:9002"), site=MAPPED)
    assert label(flows, context) == (OBS, "backup", Role.DATA, RoleBasis.PROXY)
    assert label(flows, context, 1)[2] is Role.OTHER
    assert [Way(way) for way in context.proxied.way] == [Way.MAPPED, Way.DIRECT]
    assert context.proxied.target_port[0] == PORT


def test_a_mapped_port_leads_to_the_port_of_the_servers_vendor() -> None:
    packs = enable(None)
    assert mapped_port(number(SERVER), packs) == 16384
    assert mapped_port(number("198.51.100.7"), packs) == 0


def test_ends_may_stand_the_other_way_round_in_a_flow_without_its_start() -> None:
    flows, context = judged(row("10.0.0.8:9001", "10.0.0.5:3000", history="DadA"), site=MAPPED)
    assert label(flows, context)[::3] == (OBS, RoleBasis.PROXY)
    assert bool(context.proxied.at_initiator[0])
    assert not flows.client_is_initiator[0]


def test_ftp_through_a_proxy_is_joined_by_targets() -> None:
    rows = through(duration=60.0), row("10.0.0.5:3001", "10.0.0.9:1080", start=1010.0)
    events = [
        request("66.241.7.1", 21),
        {"flow": 0, "kind": "ftp-greeting", "time": 1000.2},
        {"flow": 0, "kind": "ftp-passive", "time": 1009.0, "address": "66.241.7.1", "port": 30000},
        request("66.241.7.1", 30000, flow=1, time=1010.0),
    ]
    flows, context = judged(*rows, events=events)
    assert context.negotiation.control.tolist() == [-1, 0]
    assert context.negotiation.exact.tolist() == [False, True]
    assert label(flows, context, 1) == ("drbackup", "data", Role.DATA, RoleBasis.PROXY)


@pytest.mark.parametrize(("granted", "count"), [(True, 1), (False, 0)])
def test_what_a_proxy_let_through_puts_a_service_to_the_test(granted: bool, count: int) -> None:
    flows, context = judged(through(), events=[request(), reply(granted, time=1000.1)])
    exercise = exercise_of([], flows, context)
    assert exercise.by_service[OBS, "backup"] == count
    assert exercise.unplaced[OBS] == 0


def relayed(address: str, port: int = PORT, flow: int = 1, flag: int = 1, **more: Any) -> dict[str, Any]:
    return {"flow": flow, "kind": "socks-datagram", "address": address, "port": port, "flag": flag, **more}


ASSOCIATED = [
    request("0.0.0.0", 0, more=("udp-associate",)),
    reply(True, time=1000.1, address="10.0.0.9", port=40_000),
]
RELAY = row("10.0.0.5:5000", "10.0.0.9:40000", "udp", start=1001)


def test_relayed_datagrams_have_the_vendor_of_their_far_end() -> None:
    flows, context = judged(through(), RELAY, events=[*ASSOCIATED, relayed(SERVER)])
    assert label(flows, context, 1) == (OBS, "", Role.UNPUBLISHED, RoleBasis.PROXY)
    assert Way(context.proxied.way[1]) is Way.SOCKS
    assert bool(context.proxied.listed[1])
    assert not context.proxied.at_initiator[1]


def test_of_several_far_ends_the_first_that_is_a_vendors_tells_whose_the_flow_is() -> None:
    events = [relayed("198.51.100.1"), relayed("66.241.7.9", time=1001.5), relayed(SERVER, time=1002)]
    flows, context = judged(through(), RELAY, events=[*ASSOCIATED, *events])
    assert label(flows, context, 1)[0] == "drbackup"
    flows, context = judged(through(), RELAY, events=[*ASSOCIATED, events[0], relayed("198.51.100.2", time=1003)])
    assert label(flows, context, 1) == ("", "", Role.OTHER, RoleBasis.NONE)
    assert int(context.proxied.target_lo[1]) == number("198.51.100.1")


def test_a_relay_that_was_captured_first_is_the_initiators_end() -> None:
    back = row("10.0.0.9:40000", "10.0.0.5:5000", "udp", start=1001)
    flows, context = judged(through(), back, events=[*ASSOCIATED, relayed(SERVER, flag=0)])
    assert bool(context.proxied.at_initiator[1])
    assert not flows.client_is_initiator[1]


def test_asking_for_a_relay_names_no_target() -> None:
    flows, context = judged(through(), events=ASSOCIATED)
    assert label(flows, context) == ("", "", Role.PROXY, RoleBasis.PORT)


def test_a_port_that_a_connection_was_bound_to_is_no_relay() -> None:
    bound = [request(flow=2, time=1003), reply(True, flow=2, time=1003.1, address="10.0.0.9", port=40_001)]
    back = row("10.0.0.9:40000", "10.0.0.5:40001", "udp", start=1001)
    _, context = judged(through(), back, through(), events=[*ASSOCIATED, *bound, relayed(SERVER, flag=0)])
    assert bool(context.proxied.at_initiator[1])
