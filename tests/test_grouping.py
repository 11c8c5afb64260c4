"""Hits of a check made into findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import numpy as np
import pytest
from flowbuilder import CAPTURE_START_NS, Row, classified, number, row

from auditor import grouping
from auditor.checks.base import CaptureHits, Check, Context, Hits, Outcome, Severity, Targets
from auditor.finding import Finding
from auditor.flow import Flows
from auditor.flowends import NO_PORT
from auditor.grouping import Grouping, sorted_findings

DAY = date(2026, 1, 1)
SERVER = "204.164.111.9:16384"
Find = Callable[[Flows, Context], Iterable[Hits]]


def made(find: Find, *rows: Row, counts_messages: bool = False, **context: Any) -> list[Finding]:
    """Findings of a check that finds just that."""

    class Made(Check):
        id = "made"
        title = "Made up"
        since = "0"
        statements = frozenset()

        def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
            return find(flows, context)

    Made.counts_messages = counts_messages
    flows, given = classified(*rows, **context)
    return Grouping(flows, given, DAY).findings(Made())


def every_row(severity: Severity = Severity.MEDIUM, **more: Any) -> Find:
    return lambda flows, context: [Hits(np.arange(len(flows)), severity, "{client_ip} did it to {server_ip}", **more)]


def test_flows_of_one_key_are_one_finding() -> None:
    rows = [row(f"10.0.0.5:{port}", SERVER, start=start) for port, start in ((3000, 20), (3002, 10), (3000, 30))]
    (finding,) = made(every_row(), *rows)
    assert finding.count == 3
    assert finding.client_ports == (3000, 3002)
    assert (finding.client_ip, finding.server_ip, finding.server_port) == ("10.0.0.5", "204.164.111.9", 16384)
    assert (finding.service_port, finding.protocol, finding.direction) == (16384, "tcp", "outbound")
    assert (finding.first_ns, finding.last_ns) == (CAPTURE_START_NS + 10 * 10**9, CAPTURE_START_NS + 31 * 10**9)
    assert [item.time_ns for item in finding.evidence] == [CAPTURE_START_NS + s * 10**9 for s in (10, 20, 30)]
    assert finding.message == "10.0.0.5 did it to 204.164.111.9"
    assert len(finding.flow_ids) == 3


@pytest.mark.parametrize(
    "other",
    [
        row("10.0.0.6:3000", SERVER),
        row("10.0.0.5:3000", "204.164.111.8:16384"),
        row("10.0.0.5:3000", "204.164.111.9:80"),
        row("10.0.0.5:3000", SERVER, "udp"),
        row("204.164.111.9:3000", "10.0.0.5:16384"),
    ],
    ids=["client", "server", "service port", "protocol", "direction"],
)
def test_each_part_of_the_key_keeps_findings_apart(other: Row) -> None:
    found = made(every_row(), row("10.0.0.5:3000", SERVER), other)
    assert len({finding.id for finding in found}) == 2


def test_service_port_of_an_inbound_session_is_the_inside_hosts() -> None:
    rows = [row(f"204.164.111.9:{port}", "10.0.0.5:22") for port in (4000, 4001)]
    (finding,) = made(every_row(), *rows)
    assert (finding.service_port, finding.client_ports, finding.server_port) == (22, (22,), None)
    assert finding.direction == "inbound"


def test_icmp_has_no_ports_and_counts_messages() -> None:
    rows = [
        row("10.0.0.5:8", "204.164.111.9:0", "icmp", packets=(5, 4)),
        row("10.0.0.5:13", "204.164.111.9:14", "icmp"),
    ]
    (finding,) = made(every_row(), *rows)
    assert finding.count == 11
    assert (finding.service_port, finding.server_port, finding.client_ports) == (None, None, ())


def test_check_may_count_messages() -> None:
    (finding,) = made(every_row(), row("10.0.0.5:3000", SERVER, packets=(3, 4)), counts_messages=True)
    assert finding.count == 7


def test_worst_hit_gives_severity_words_and_certainty() -> None:
    def find(flows: Flows, context: Context) -> Iterable[Hits]:
        yield Hits(np.array([0, 1]), Severity.LOW, "low", certain=True)
        yield Hits(np.array([1]), Severity.HIGH, "high because of {why}", certain=False, extra={"why": "this"})

    (finding,) = made(find, row("10.0.0.5:3000", SERVER), row("10.0.0.5:3001", SERVER))
    assert (finding.severity, finding.certain, finding.message) == (Severity.HIGH, False, "high because of this")
    assert finding.count == 2


def test_severity_and_outcome_may_differ_by_row() -> None:
    severities = np.array([Severity.LOW, Severity.CRITICAL], np.uint8)
    find = every_row(severities, outcome=np.array([Outcome.ATTEMPT, Outcome.OPEN], np.uint8))  # type: ignore[arg-type]
    (finding,) = made(find, row("10.0.0.5:3000", SERVER), row("10.0.0.5:3001", SERVER))
    assert (finding.severity, finding.outcome) == (Severity.CRITICAL, Outcome.OPEN)


@pytest.mark.parametrize(
    ("described", "outcome"),
    [
        (row("10.0.0.5:3000", SERVER, history="S"), Outcome.ATTEMPT),
        (row("10.0.0.5:3000", SERVER, history="Sr"), Outcome.ATTEMPT),
        (row("10.0.0.5:3000", SERVER, history="Sh"), Outcome.OPEN),
        (row("10.0.0.5:3000", SERVER, history="Da"), Outcome.OPEN),
        (row("10.0.0.5:3000", SERVER, history="A"), Outcome.OBSERVED),
        (row("10.0.0.5:3000", SERVER, "udp", history="D"), Outcome.ATTEMPT),
        (row("10.0.0.5:3000", SERVER, "udp"), Outcome.OPEN),
        (row("10.0.0.5:8", "204.164.111.9:0", "icmp"), Outcome.OBSERVED),
        (row("10.0.0.5", "204.164.111.9", "gre"), Outcome.OBSERVED),
    ],
)
def test_outcome_follows_from_the_flow_where_the_check_says_none(described: Row, outcome: Outcome) -> None:
    (finding,) = made(every_row(), described)
    assert finding.outcome is outcome


def test_statement_is_the_first_that_the_pack_has() -> None:
    statements = ("range", "port", "networks")
    (ours,) = made(every_row(statements=statements), row("10.0.0.5:3000", SERVER))
    assert ours.statement == "port"
    (nobodys,) = made(every_row(statements=statements), row("10.0.0.5:3000", "8.8.8.8:443"))
    assert nobodys.statement is None


def test_late_syn_is_evidence_without_a_time() -> None:
    (finding,) = made(every_row(), row("10.0.0.5:3000", SERVER, first_frame=7, syn_frame=9))
    assert [(item.frame, item.time_ns is None) for item in finding.evidence] == [(7, False), (9, True)]


def test_evidence_names_the_capture_of_each_frame() -> None:
    captures = ({"path": "a.pcap"}, {"path": "b.pcap"})
    rows = [row("10.0.0.5:3000", SERVER, capture=1), row("10.0.0.5:3001", SERVER, start=1001)]
    (finding,) = made(every_row(), *rows, captures=captures)
    assert [item.capture for item in finding.evidence] == ["b.pcap", "a.pcap"]


def test_evidence_is_limited_and_the_count_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "MAX_EVIDENCE", 2)
    (finding,) = made(every_row(), *(row(f"10.0.0.5:{port}", SERVER) for port in range(3000, 3005)))
    assert (len(finding.evidence), finding.count, len(finding.flow_ids)) == (2, 5, 5)


def test_findings_beyond_the_limit_are_counted_and_the_worst_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "MAX_FINDINGS", 2)

    class Made(Check):
        id = "made"
        title = "Made up"

        def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
            yield Hits(np.arange(4), np.array([1, 3, 0, 2], np.uint8), "made")

    flows, context = classified(*(row(f"10.0.0.{at}:3000", SERVER) for at in range(1, 5)))
    group = Grouping(flows, context, DAY)
    assert [finding.client_ip for finding in group.findings(Made())] == ["10.0.0.2", "10.0.0.4"]
    (unlisted,) = group.unlisted
    assert (unlisted.check, unlisted.count, unlisted.worst) == ("made", 2, Severity.LOW)


def test_ids_depend_on_the_key_alone() -> None:
    here = made(every_row(), row("10.0.0.5:3000", SERVER))
    there = made(every_row(), row("10.0.0.5:3333", SERVER, start=7), captures=[{"path": "other.pcap"}])
    assert here[0].id == there[0].id
    assert len(here[0].id) == 16


def test_waiver_is_shown_and_once_expired_waives_nothing() -> None:
    waiver = {"check": "made-up", "vendor": "online-backup-service", "reason": "known", "expires": "2026-01-01"}
    site = {"waivers": [{**waiver, "check": "udp-use", "client": "10.0.0.5"}]}
    (finding,) = made(every_row(), row("10.0.0.5:3000", SERVER), site=site)
    assert finding.waiver is None

    class UdpUse(Check):
        id = "udp-use"
        title = "Made up"

        def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
            yield Hits(np.arange(len(flows)), Severity.HIGH, "made")

    flows, context = classified(row("10.0.0.5:3000", SERVER), row("10.0.0.6:3000", SERVER), site=site)
    ours, others = Grouping(flows, context, DAY).findings(UdpUse())
    assert ours.waived
    assert not others.waived
    (late, _) = Grouping(flows, context, date(2026, 1, 2)).findings(UdpUse())
    assert not late.waived
    assert late.to_dict()["waiver"]["expired"] is True


def test_finding_about_a_capture_has_no_ends() -> None:
    class Made(Check):
        id = "made"
        title = "Made up"

        def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
            return ()

        def find_in_captures(self, context: Context) -> Iterable[CaptureHits]:
            yield CaptureHits(0, "cut", frame=7)

    flows, context = classified()
    (finding,) = Grouping(flows, context, DAY).findings(Made())
    assert (finding.client_ip, finding.vendor, finding.display_filter) == (None, "", "frame.number in {7}")
    assert finding.evidence[0].frame == 7


def test_worst_findings_come_first() -> None:
    find = every_row(np.array([0, 4, 2], np.uint8))  # type: ignore[arg-type]
    found = made(find, *(row(f"10.0.0.{at}:3000", SERVER) for at in range(1, 4)))
    assert [finding.severity for finding in sorted_findings(found)] == [4, 2, 0]


def answers(*frames: int) -> list[dict[str, Any]]:
    return [{"flow": 0, "kind": "dns-answer", "text": "a.example", "frame": at, "time": 1000.0 + at} for at in frames]


def targets(*addresses: str, names: tuple[str, ...] = (), through: bool = True, port: int = 16384) -> Targets:
    numbers = [number(address) for address in addresses]
    return Targets(
        hi=np.array([one >> 64 for one in numbers], np.uint64),
        lo=np.array([one & (2**64 - 1) for one in numbers], np.uint64),
        port=np.full(len(numbers), port, np.int64),
        names=names,
        through=through,
    )


def test_finding_about_a_target_names_it_and_the_proxy_that_led_there() -> None:
    rows = [row(f"10.0.0.5:{port}", "10.0.0.9:1080") for port in (3000, 3001, 3002)]
    led = every_row(targets=targets("198.51.100.7", "198.51.100.8", "198.51.100.7"), vendor="backup-direct|drbackup")
    first, second = made(led, *rows)
    assert (first.server_ip, first.server_port, first.service_port) == ("198.51.100.7", 16384, 1080)
    assert (first.via, first.vendor, first.count) == ("10.0.0.9", "backup-direct|drbackup", 2)
    assert first.message == "10.0.0.5 did it to 198.51.100.7"
    assert (second.server_ip, second.count) == ("198.51.100.8", 1)
    assert "10.0.0.9" in first.display_filter


def test_two_proxies_to_one_target_are_two_findings() -> None:
    rows = [row("10.0.0.5:3000", "10.0.0.9:1080"), row("10.0.0.5:3000", "10.0.0.8:1080")]
    found = made(every_row(targets=targets("198.51.100.7", "198.51.100.7")), *rows)
    assert [one.via for one in found] == ["10.0.0.8", "10.0.0.9"]
    assert len({one.id for one in found}) == 2


def test_target_known_by_name_is_called_so() -> None:
    (finding,) = made(every_row(targets=targets("::", names=("a.example",))), row("10.0.0.5:3000", "10.0.0.9:1080"))
    assert finding.server_ip == "a.example"


def test_target_that_no_proxy_led_to_has_its_own_port() -> None:
    led = every_row(targets=targets("198.51.100.7", through=False, port=20001))
    (finding,) = made(led, row("10.0.0.5:3000", "66.241.7.3:21"))
    assert (finding.via, finding.server_port, finding.service_port) == (None, 20001, 20001)


def test_address_of_a_name_has_no_port() -> None:
    led = every_row(targets=targets("198.51.100.7", port=NO_PORT))
    (finding,) = made(led, row("10.0.0.5:3000", "10.0.0.53:53", "udp"))
    assert (finding.server_port, finding.service_port) == (None, 53)


def test_client_asked_for_an_answer_of_which_alone_was_captured() -> None:
    led = every_row(targets=targets("198.51.100.7", port=NO_PORT))
    (finding,) = made(led, row("10.0.0.5:3000", "10.0.0.53:53", "udp", history="d"))
    assert finding.direction == "outbound"


def test_events_are_the_evidence_and_the_messages_that_are_counted() -> None:
    def told(flows: Flows, context: Context) -> Iterable[Hits]:
        twice = np.zeros(3, np.intp)
        yield Hits(twice, Severity.HIGH, "…", told_by=np.array([0, 1, 1]))

    flow = row("10.0.0.5:3000", "10.0.0.53:53", "udp")
    (finding,) = made(told, flow, counts_messages=True, events=answers(4, 9))
    assert finding.count == 2
    assert [item.frame for item in finding.evidence] == [4, 9]
    assert "frame.number" in finding.display_filter
    (finding,) = made(told, flow, events=answers(4, 9))
    assert (finding.count, "frame.number" in finding.display_filter) == (1, False)
