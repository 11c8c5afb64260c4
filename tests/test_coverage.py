"""Coverage of statements, from flows to words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from flowbuilder import Row, capture, classified, row

from auditor.coverage import Coverage, Exercise, Judges, coverage_of
from auditor.exercise import exercise_of
from auditor.grouping import Grouping
from auditor.judges.base import Case, verdicts_of
from auditor.judging import all_checks
from auditor.rulepack import enable
from auditor.sessions import sessions_of

OBS = "online-backup-service"
CHECKS = all_checks()
JUDGES = Judges(
    ids=[check.id for check in CHECKS],
    placeless=[check.id for check in CHECKS if check.placeless],
    observers=[check.id for check in CHECKS if check.observes],
)


def covered(*rows: Row, judges: Judges = JUDGES, **context: Any) -> dict[tuple[str, str], Coverage]:
    flows, given = classified(*rows, **context)
    grouping = Grouping(flows, given, date(2026, 1, 1))
    findings = [finding for check in CHECKS for finding in grouping.findings(check)]
    exercise = exercise_of(CHECKS, flows, given)
    verdicts = verdicts_of(given.packs, Case(flows, given, sessions_of(flows, given)))
    found = coverage_of(given.packs, replace(judges, verdicts=verdicts), findings, exercise, given.health)
    return {(one.vendor, one.statement): one for one in found}


def status(vendor: str, statement: str, *rows: Row, **context: Any) -> str:
    return covered(*rows, **context)[vendor, statement].status


def backup(server: str = "204.164.111.9", port: int = 3000, **more: Any) -> Row:
    return row(f"10.0.0.5:{port}", f"{server}:16384", **more)


def test_every_statement_of_every_pack_has_one_verdict() -> None:
    found = covered()
    expected = [(pack.id, statement.id) for pack in enable(None, ()) for statement in pack.pack.statements]
    assert list(found) == expected


def test_silence_is_not_exercised() -> None:
    for coverage in covered().values():
        assert coverage.status in ("not exercised", "not checkable"), coverage
        assert coverage.evidence


def test_answered_session_proves_what_it_put_to_the_test() -> None:
    found = covered(backup())
    assert found[OBS, "tcp-only"].status == "met"
    assert found[OBS, "client-initiates"].status == "met"
    assert found[OBS, "port"].status == "met"
    assert found["backup-direct", "tcp-only"].status == "not exercised"


def test_unanswered_attempt_proves_nothing() -> None:
    assert status(OBS, "port", backup(history="S")) == "not exercised"
    assert status(OBS, "tcp-only", backup(history="S")) == "not exercised"


def test_session_that_began_before_the_capture_proves_not_who_opened_it() -> None:
    assert status(OBS, "client-initiates", backup(history="Da")) == "not exercised"


def test_networks_are_met_only_once_every_group_answered() -> None:
    assert status(OBS, "networks", backup()) == "not exercised"
    assert status(OBS, "networks", backup(), backup("140.239.229.1")) == "met"


def test_finding_violates_its_statement() -> None:
    found = covered(backup(), row("10.0.0.5:3000", "204.164.111.9:16384", "udp"))[OBS, "tcp-only"]
    assert found.status == "violated"
    assert "udp-use" in found.evidence


def test_waived_finding_still_violates_and_says_so() -> None:
    waiver = {"check": "udp-use", "reason": "known", "expires": "2030-01-01"}
    udp = row("10.0.0.5:3000", "204.164.111.9:16384", "udp")
    found = covered(backup(), udp, site={"waivers": [waiver]})[OBS, "tcp-only"]
    assert found.status == "violated"
    assert "waived" in found.evidence


def test_finding_that_may_be_another_vendors_violates_nobodys_statement() -> None:
    found = covered(backup(), row("10.0.0.5:3001", "8.8.8.8:16384"))[OBS, "networks"]
    assert found.status == "inconclusive"
    assert "another vendor" in found.evidence
    alone = covered(backup(), row("10.0.0.5:3001", "8.8.8.8:16384"), packs=[OBS])[OBS, "networks"]
    assert alone.status == "violated"


def test_information_violates_nothing_but_proves_nothing_either() -> None:
    outside_range = backup(port=40_000)
    assert status(OBS, "packet-filter-return", outside_range) == "inconclusive"
    assert status(OBS, "packet-filter-return", backup()) == "met"
    site = {"explicit_return_rules": True}
    assert status(OBS, "packet-filter-return", outside_range, site=site) == "violated"


def test_capture_that_lost_packets_proves_nothing_and_violations_stay() -> None:
    cut: dict[str, Any] = {"captures": [capture(complete=False)], "complete": False}
    found = covered(backup(), **cut)[OBS, "port"]
    assert found.status == "inconclusive"
    assert "test.pcap" in found.evidence
    udp = row("10.0.0.5:3000", "204.164.111.9:16384", "udp")
    assert status(OBS, "tcp-only", backup(), udp, **cut) == "violated"
    assert status("backup-direct", "port", backup(), **cut) == "not exercised"


def test_one_sided_capture_proves_nothing() -> None:
    assert status(OBS, "tcp-only", backup(), one_sided=True) == "inconclusive"


def test_statement_without_a_check_is_not_checkable_and_says_why() -> None:
    found = covered(backup(), judges=Judges(ids=["inbound-initiated"]))[OBS, "encrypted"]
    assert found.status == "not checkable"
    assert "unencrypted-payload" in found.evidence


def test_statement_judged_in_part_is_never_met() -> None:
    control = row("10.0.0.5:3000", "66.241.7.1:21", duration=60)
    data = row("10.0.0.5:3001", "66.241.7.1:30000", start=1001)
    judges = Judges(ids=["port-not-published", "data-without-control"])
    found = covered(control, data, judges=judges)["drbackup", "data-ports"]
    assert found.status == "inconclusive"
    assert "data-port-not-negotiated" in found.evidence


def test_all_judges_missing_is_not_checkable() -> None:
    assert status(OBS, "tcp-only", backup(), judges=Judges(ids=["inbound-initiated"])) == "not checkable"
    assert status(OBS, "tcp-only", backup(), judges=Judges(ids=["udp-use"])) == "inconclusive"


def test_pack_without_networks_is_judged_only_by_what_its_port_shows() -> None:
    session = row("10.0.0.5:3000", "203.0.113.5:4401")
    found = covered(session, site={"backup_hosts": ["10.0.0.5"]})
    assert found["securidata", "client-initiates"].status == "not checkable"
    assert found["securidata", "no-networks"].status == "not checkable"
    assert found["securidata", "single-host"].status == "met"
    unknown = covered(session)
    assert unknown["securidata", "single-host"].status == "not exercised"


def test_networks_of_the_site_make_a_pack_checkable() -> None:
    site = {"packs": {"securidata": {"networks": ["203.0.113.0/28"]}}}
    found = covered(row("10.0.0.5:3000", "203.0.113.5:4401"), site=site)
    assert found["securidata", "client-initiates"].status == "met"
    assert found["securidata", "ports"].status == "met"


def test_service_statement_needs_that_service() -> None:
    control = row("10.0.0.5:3000", "66.241.7.1:21")
    assert status("drbackup", "control-port", control) == "met"
    assert status("drbackup", "random-node", control) == "met"
    assert status("drbackup", "support-tool", control) == "not exercised"
    assert status("drbackup", "support-tool", row("10.0.0.5:3000", "96.231.233.4:443")) == "met"


def test_registration_needs_registration_servers() -> None:
    assert status(OBS, "registration", backup()) == "not exercised"
    site = {"packs": {OBS: {"registration_servers": ["204.164.111.9"]}}}
    assert status(OBS, "registration", backup(), site=site) == "met"


def test_clients_that_are_not_inside_leave_the_statement_open() -> None:
    found = covered(row("141.10.1.1:3000", "204.164.111.9:16384"))[OBS, "port"]
    assert found.status == "inconclusive"
    assert "inside" in found.evidence


def test_nothing_wanted_gives_the_same_verdicts_as_an_empty_table() -> None:
    _, context = classified()
    quick = coverage_of(context.packs, Judges(JUDGES.ids), [], Exercise(), context.health)
    assert quick == list(covered().values())


def test_what_a_judge_finds_met_is_inconclusive_in_a_capture_with_losses() -> None:
    control = row("10.0.0.5:3000", "66.241.7.9:21")
    assert status("drbackup", "ips-exclusion", control) == "met"
    lossy = covered(control, captures=[{"drops": 3}])["drbackup", "ips-exclusion"]
    assert lossy.status == "inconclusive"
    assert "none refused" in lossy.evidence


def test_a_vendor_without_traffic_leaves_its_judges_nothing_to_say() -> None:
    found = covered(backup())["drbackup", "one-port-per-file"]
    assert (found.status, found.evidence) == ("not exercised", "no traffic with this vendor")
