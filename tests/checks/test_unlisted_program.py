from dataclasses import replace
from typing import Any

import pytest
from flowbuilder import Row, classified, row
from judging import CHECKS, DRBACKUP, MEDIUM, Objection, objections

from auditor.checks.unlisted_program import is_listed

CHECK = CHECKS["unlisted-program"]
NAMES = ("", "rbclient.exe", "curl", "lftp|sh", "rbclient|sh")
OWN, CURL, HELPERS, SHARED = 1, 2, 3, 4
CLIENT, NODE = "10.0.0.5", "66.241.7.9:21"
PROGRAMS = ("rbclient.exe", "rbbackupprogress.exe", "rbtransfer.exe")


def session(process: int, port: int = 49152, server: str = NODE, **columns: Any) -> Row:
    return row(f"{CLIENT}:{port}", server, process=process, **columns)


def judged(*rows: Row, **context: Any) -> list[Objection]:
    flows, given = classified(*rows, **{"packs": [DRBACKUP], **context})
    return objections(CHECK.find(flows, replace(given, process_names=NAMES)))


def chosen(what: str, *rows: Row, **context: Any) -> list[int]:
    flows, given = classified(*rows, **{"packs": [DRBACKUP], **context})
    found: list[int] = getattr(CHECK, what)(flows, replace(given, process_names=NAMES)).tolist()
    return found


def test_other_programs_are_found_and_all_of_one_finding_are_named() -> None:
    found = judged(session(OWN, 1), session(CURL, 2), session(HELPERS, 3), session(CURL, 4, "66.241.7.20:21"))
    assert [(one.row, one.severity, one.outcome, one.statements) for one in found] == [
        (number, MEDIUM, None, ("programs",)) for number in (1, 2, 3)
    ]
    assert "by curl, lftp or sh, which" in found[0].message
    assert found[0].message == found[1].message
    assert "by curl, which" in found[2].message


def test_attempts_of_other_programs_are_found() -> None:
    assert [one.row for one in judged(session(CURL, history="S"))] == [0]


def test_the_vendors_own_programs_are_silent() -> None:
    assert not judged(session(OWN), session(SHARED, 2))


def test_flow_that_nobody_names_is_silent() -> None:
    assert not judged(session(0))


def test_capture_without_processes_is_silent() -> None:
    flows, given = classified(session(0), packs=[DRBACKUP])
    assert given.process_names == ("",)
    assert not list(CHECK.find(flows, given))
    assert not len(CHECK.exercised(flows, given))
    assert not len(CHECK.undecided(flows, given))


def test_vendor_that_lists_no_programs_is_silent() -> None:
    assert not judged(session(CURL, server="204.164.111.9:16384"), packs=())


def test_support_tool_is_no_program_of_the_backup() -> None:
    assert not judged(session(CURL, server="96.231.233.4:443"))


def test_server_outside_of_the_vendors_networks_is_silent() -> None:
    assert not judged(session(CURL, server="198.51.100.9:211"), packs=())


def test_sessions_that_the_server_opened_are_silent() -> None:
    assert not judged(row(NODE, "10.0.0.5:2000", process=CURL))


def test_proxy_speaks_for_other_hosts() -> None:
    site = {"proxies": [{"kind": "socks", "address": CLIENT, "port": 1080}]}
    assert not judged(session(CURL), site=site)


def test_answered_sessions_of_known_processes_put_it_to_the_test() -> None:
    flows = session(OWN, 1), session(CURL, 2), session(0, 3), session(OWN, 4, history="S")
    assert chosen("exercised", *flows) == [0, 1]
    assert chosen("undecided", *flows) == [2]
    assert chosen("undecided", session(0)) == []


@pytest.mark.parametrize("name", ["rbclient.exe", "RBClient.EXE", "rbclient", "rbtransfer", "sh|rbclient"])
def test_names_are_compared_without_case_and_suffix(name: str) -> None:
    assert is_listed(name, PROGRAMS)


@pytest.mark.parametrize("name", ["rbbackupprogres", "rbbackupprogress"])
def test_name_that_the_system_cut_counts_as_listed(name: str) -> None:
    assert len(name) in (15, 16)
    assert is_listed(name, PROGRAMS)


@pytest.mark.parametrize("name", ["rbbackupprogre", "rbclient2", "rb", "", "rbclient.exe.exe", "curl|sh"])
def test_other_names_are_not_listed(name: str) -> None:
    assert not is_listed(name, PROGRAMS)
