"""Data connections and the control sessions that announced them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flowbuilder import Row, classified, enabled, events_for, raw, row
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw
from scapy.utils import wrpcap

from auditor.flow import Flows, Role, RoleBasis
from auditor.flowlist import FlowList
from auditor.identify import identify
from auditor.negotiation import Negotiation, Reading
from auditor.pipeline import audit

SERVER, OTHER_SERVER = "66.241.7.1", "66.241.7.2"
CLIENT = "10.0.0.5"


def control(client: str = CLIENT, **more: Any) -> Row:
    return row(f"{client}:3000", f"{SERVER}:21", **{"start": 1000.0, "duration": 60.0, **more})


def data(port: int = 30000, *, start: float = 1010.0, server: str = SERVER, client: str = CLIENT, **more: Any) -> Row:
    return row(f"{client}:3001", f"{server}:{port}", start=start, **more)


def said(kind: str, time: float, flow: int = 0, **more: Any) -> dict[str, Any]:
    return {"flow": flow, "kind": kind, "time": time, **more}


def passive(time: float = 1009.0, port: int = 30000, flow: int = 0, **more: Any) -> dict[str, Any]:
    return said("ftp-passive", time, flow, port=port, **{"address": SERVER, **more})


GREETING = said("ftp-greeting", 1000.1)


def negotiation(*rows: Row, events: list[dict[str, Any]], **more: Any) -> Negotiation:
    return classified(*rows, events=events, **more)[1].negotiation


def test_an_announced_connection_is_joined_to_its_control_session() -> None:
    flows, context = classified(control(), data(), events=[GREETING, passive()])
    found = context.negotiation
    assert found.control.tolist() == [-1, 0]
    assert found.endpoint.tolist() == [-1, 0]
    assert found.endpoints.data.tolist() == [1]
    assert [RoleBasis(basis) for basis in flows.role_basis] == [RoleBasis.PORT, RoleBasis.NEGOTIATED]
    assert Role(flows.role[1]) is Role.DATA


def test_without_an_announcement_the_tie_is_inferred() -> None:
    flows, context = classified(control(), data(), events=[said("ftp-opaque", 1000.2, flag=0)])
    assert context.negotiation.control.tolist() == [-1, -1]
    assert RoleBasis(flows.role_basis[1]) is RoleBasis.INFERRED


@pytest.mark.parametrize("stranger", [data(30001), data(server=OTHER_SERVER), data(client="10.0.0.6")])
def test_port_server_and_client_have_to_be_those_announced(stranger: Row) -> None:
    assert negotiation(control(), stranger, events=[GREETING, passive()]).control.tolist() == [-1, -1]


def test_what_was_announced_later_explains_nothing() -> None:
    assert negotiation(control(), data(), events=[GREETING, passive(1020.0)]).control.tolist() == [-1, -1]
    reordered = negotiation(control(), data(), events=[GREETING, passive(1010.5)])
    assert reordered.control.tolist() == [-1, 0]


def test_of_several_announcements_the_latest_before_the_start_counts() -> None:
    rows = control(), data(start=1010.0), data(start=1030.0)
    found = negotiation(*rows, events=[GREETING, passive(1009.0), passive(1029.0), passive(1050.0)])
    assert found.endpoint.tolist() == [-1, 0, 1]
    assert found.endpoints.data.tolist() == [1, 2, -1]


def test_several_connections_to_one_endpoint_are_all_explained_and_the_first_is_its_own() -> None:
    rows = control(), data(start=1012.0), data(start=1010.0)
    found = negotiation(*rows, events=[GREETING, passive()])
    assert found.control.tolist() == [-1, 0, 0]
    assert found.endpoints.data.tolist() == [2]


@pytest.mark.parametrize("address", ["192.168.7.7", "0.0.0.0", "10.0.0.5", "127.0.0.1", "224.0.0.1"])
def test_an_address_that_cannot_be_routed_means_the_server_itself(address: str) -> None:
    assert negotiation(control(), data(), events=[GREETING, passive(address=address)]).control.tolist() == [-1, 0]


def test_an_address_inside_means_the_server_itself() -> None:
    site = {"inside": ["198.51.100.0/24"]}
    rows = control("198.51.100.5"), data(client="198.51.100.5")
    events = [GREETING, passive(address="198.51.100.77")]
    assert negotiation(*rows, events=events, site=site).control.tolist() == [-1, 0]


def test_a_private_address_that_the_site_gives_to_the_vendor_is_meant() -> None:
    site = {"inside": ["10.0.0.0/8"], "packs": {"drbackup": {"networks": ["192.168.7.0/24"]}}}
    found = negotiation(
        control(), data(), data(server="192.168.7.7"), events=[GREETING, passive(address="192.168.7.7")], site=site
    )
    assert found.control.tolist() == [-1, -1, 0]


def test_a_public_address_is_meant_as_it_is_said() -> None:
    found = negotiation(control(), data(), events=[GREETING, passive(address="198.51.100.7")])
    assert found.control.tolist() == [-1, -1]
    assert (int(found.endpoints.server_lo[0]) & 0xFFFF_FFFF) == (198 << 24 | 51 << 16 | 100 << 8 | 7)


def test_what_other_servers_announce_is_nobodys_concern() -> None:
    foreign = row(f"{CLIENT}:3000", "198.51.100.7:21", start=1000.0, duration=60.0)
    found = negotiation(foreign, data(), events=[GREETING, passive()])
    assert len(found.endpoints) == 0
    assert found.control.tolist() == [-1, -1]


def test_extended_passive_mode_means_the_server_itself() -> None:
    event = said("ftp-passive", 1009.0, port=30000, flag=1)
    assert negotiation(control(), data(), events=[GREETING, event]).control.tolist() == [-1, 0]


def test_a_port_outside_the_published_range_stays_unpublished_though_it_was_negotiated() -> None:
    flows, context = classified(control(), data(15000), events=[GREETING, passive(port=15000)])
    assert context.negotiation.control.tolist() == [-1, 0]
    assert Role(flows.role[1]) is Role.UNPUBLISHED
    assert RoleBasis(flows.role_basis[1]) is RoleBasis.NEGOTIATED


def test_a_session_that_was_read_from_first_to_last_is_whole() -> None:
    def reading(*events: dict[str, Any], **more: Any) -> Reading:
        return Reading(negotiation(control(**more), events=list(events)).reading[0])

    assert reading(GREETING) is Reading.WHOLE
    assert reading() is Reading.NONE
    assert reading(GREETING, history="DadA") is Reading.PART
    assert reading(GREETING, missed_bytes=3) is Reading.PART
    assert reading(said("ftp-user", 1000.1)) is Reading.PART
    for kind in ("lost", "limit", "protocol-error", "ftp-unreadable-endpoint"):
        assert reading(GREETING, said(kind, 1001.0)) is Reading.PART
    assert reading(GREETING, said("ftp-opaque", 1000.2, flag=0), said("ftp-clear", 1000.3)) is Reading.SECURED


def exact(*rows: Row, events: list[dict[str, Any]]) -> list[bool]:
    found: list[bool] = negotiation(*rows, events=events).exact.tolist()
    return found


def test_nothing_can_have_been_missed_where_all_live_sessions_were_read_whole() -> None:
    assert exact(control(), data(), events=[GREETING]) == [False, True]


def test_a_session_that_could_not_be_read_may_have_announced_it() -> None:
    second = row(f"{CLIENT}:3002", f"{SERVER}:21", start=1000.0, duration=60.0)
    assert exact(control(), data(), second, events=[GREETING]) == [False, False, False]
    elsewhere = row("10.0.0.6:3002", f"{SERVER}:21", start=1000.0, duration=60.0)
    assert exact(control(), data(), elsewhere, events=[GREETING]) == [False, True, False]
    over = row(f"{CLIENT}:3002", f"{SERVER}:21", start=900.0, duration=60.0)
    assert exact(control(), data(), over, events=[GREETING]) == [False, True, False]


def test_without_a_live_session_nothing_is_exact() -> None:
    assert exact(data(), events=[]) == [False]
    assert exact(control(), data(start=1100.0), events=[GREETING]) == [False, False]
    assert exact(control(start=1050.0), data(), events=[said("ftp-greeting", 1050.1)]) == [False, False]


def test_a_session_that_fell_silent_without_a_close_may_have_gone_on_unseen() -> None:
    silent = control(duration=5.0, history="ShADad")
    assert exact(silent, data(), events=[GREETING]) == [False, False]
    assert exact(control(history="ShADad"), data(), events=[GREETING]) == [False, True]


def ftp_packets(announced: int, opened: int) -> list[Packet]:
    """A readable session of a client with the vendor: one 227, and one connection."""
    clock = iter(range(1, 100))

    def packet(ours: bool, port: int, server_port: int, flags: str, seq: int, ack: int, text: bytes = b"") -> Packet:
        ends = (CLIENT, SERVER, port, server_port) if ours else (SERVER, CLIENT, server_port, port)
        source, target, source_port, target_port = ends
        header = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src=source, dst=target)
        made = header / TCP(sport=source_port, dport=target_port, flags=flags, seq=seq, ack=ack)
        made = made / Raw(text) if text else made
        made.time = 1_700_000_000 + next(clock) / 10
        return made

    def opening(port: int, server_port: int) -> list[Packet]:
        return [
            packet(True, port, server_port, "S", 99, 0),
            packet(False, port, server_port, "SA", 199, 100),
            packet(True, port, server_port, "A", 100, 200),
        ]

    greeting, login = b"220 ready\r\n", b"USER someone\r\n"
    answer = f"227 Entering Passive Mode ({SERVER.replace('.', ',')},{announced >> 8},{announced & 255})\r\n".encode()
    after_greeting, after_answer = 200 + len(greeting), 200 + len(greeting) + len(answer)
    after_login = 100 + len(login)
    return [
        *opening(3000, 21),
        packet(False, 3000, 21, "PA", 200, 100, greeting),
        packet(True, 3000, 21, "PA", 100, after_greeting, login),
        packet(False, 3000, 21, "PA", after_greeting, after_login, answer),
        packet(True, 3000, 21, "A", after_login, after_answer),
        *opening(3001, opened),
        packet(True, 3001, opened, "PA", 100, 200, b"x" * 100),
        packet(True, 3000, 21, "FA", after_login, after_answer),
        packet(False, 3000, 21, "FA", after_answer, after_login + 1),
        packet(True, 3000, 21, "A", after_login + 1, after_answer + 1),
    ]


def bases_by_port(flows: Flows) -> dict[int, str]:
    bases = zip(flows.responder_port.tolist(), flows.role_basis.tolist(), strict=True)
    return {port: RoleBasis(basis).name for port, basis in bases}


@pytest.mark.parametrize(("opened", "basis"), [(30000, "NEGOTIATED"), (30001, "INFERRED")])
def test_a_capture_with_a_readable_session_is_joined_from_its_packets(tmp_path: Path, opened: int, basis: str) -> None:
    path = tmp_path / "ftp.pcap"
    wrpcap(str(path), ftp_packets(30000, opened))
    audited = audit(path, packs=["drbackup"]).judged.rows
    assert audited is not None
    assert bases_by_port(audited.flows) == {21: "PORT", opened: basis}
    for columns in (True, False):
        (part,) = FlowList([str(path)], packs=["drbackup"], columns=columns).batches()
        assert part.rows is not None
        assert bases_by_port(part.rows.flows) == {21: "PORT", opened: basis}, "the flow table says the same"


def test_no_session_counts_as_read_whole_where_events_found_no_room() -> None:
    packs, site = enabled((), None)
    flows = raw(control(), data())
    heard = events_for(flows, [GREETING])
    assert identify(flows, heard, packs, site).negotiation.exact.tolist() == [False, True]
    found = identify(flows, heard, packs, site, all_heard=False).negotiation
    assert found.exact.tolist() == [False, False]
    assert Reading(found.reading[0]) is Reading.PART
