"""Checks against their own documentation, and against the packs."""

import re
import sys
from dataclasses import fields
from inspect import getsource

import pytest
from judging import CHECKS

from auditor.rulepack import shipped_packs
from auditor.site import Thresholds

HEADINGS = ["What it finds", "Why it matters", "What you see", "Stays silent", "Rests on"]
SEVERITIES = ("info", "low", "medium", "high", "critical")
THRESHOLDS = [threshold.name for threshold in fields(Thresholds)]
PUBLISHED = {statement.id for pack in shipped_packs() for statement in pack.statements}

JUDGES_OF_CONTROL = {"cleartext-credentials", "control-not-secured"}

each_check = pytest.mark.parametrize("name", sorted(CHECKS))


def page(name: str) -> str:
    return sys.modules[type(CHECKS[name]).__module__].__doc__ or ""


def section(name: str, heading: str) -> str:
    """The text under a heading, as one line."""
    found = re.search(rf"^{heading}\n((?:    .*\n|\n)+)", page(name), re.MULTILINE)
    assert found, f"{name} has no {heading!r}"
    return " ".join(found.group(1).split())


@each_check
def test_page_has_every_heading_in_order(name: str) -> None:
    assert [line for line in page(name).splitlines()[1:] if line and not line.startswith(" ")] == HEADINGS
    assert all(section(name, heading) for heading in HEADINGS)


@each_check
def test_page_begins_with_one_sentence(name: str) -> None:
    summary = page(name).splitlines()[0]
    assert re.fullmatch(r"[A-Z].*\.", summary)


@each_check
def test_example_shows_the_checks_own_id_and_a_severity(name: str) -> None:
    assert re.search(rf"^{name} +({'|'.join(SEVERITIES)}) ", section(name, "What you see"))


@each_check
def test_statements_that_the_page_names_are_those_that_the_check_judges(name: str) -> None:
    assert set(re.findall(r"`([^`]+)`", section(name, "Rests on"))) == CHECKS[name].statements


@each_check
def test_statements_exist_in_some_pack(name: str) -> None:
    assert CHECKS[name].statements <= PUBLISHED


@pytest.mark.parametrize("pack", shipped_packs(), ids=lambda pack: pack.id)
def test_packs_name_the_checks_that_judge_their_statements(pack) -> None:  # type: ignore[no-untyped-def]
    for statement in pack.statements:
        judges = {name for name, check in CHECKS.items() if statement.id in check.statements}
        named = {name for name in statement.checked_by if name in CHECKS}
        assert named <= judges, statement.id
        # what one vendor publishes of its control sessions, another publishes of its data alone
        control = pack.encryption is not None and pack.encryption.control
        assert judges - named <= (set() if control else JUDGES_OF_CONTROL), statement.id


@each_check
def test_thresholds_in_use_stand_on_the_page(name: str) -> None:
    source = getsource(sys.modules[type(CHECKS[name]).__module__])
    code = source.split('"""', 2)[2]
    used = set(re.findall(r"thresholds\.(\w+)", code))
    used |= {"midstream_grace"} if re.search(r"\bearly\(", code) else set()
    assert {one for one in THRESHOLDS if f"`{one}`" in page(name)} == used


def test_every_threshold_of_the_site_is_some_checks() -> None:
    assert all(any(f"`{one}`" in page(name) for name in CHECKS) for one in THRESHOLDS)


@each_check
def test_page_states_the_defaults_of_its_thresholds(name: str) -> None:
    defaults = Thresholds()
    units = {"restore_bytes": "16 KiB"}
    for one in THRESHOLDS:
        if f"`{one}`" in page(name):
            text = units.get(one, f"{getattr(defaults, one)} s")
            assert re.search(rf"`{one}` \({re.escape(text)}", " ".join(page(name).split()))


@each_check
def test_ids_read_as_problems_and_carry_a_title_and_version(name: str) -> None:
    check = CHECKS[name]
    assert check.title
    assert not check.title.endswith(".")
    assert re.fullmatch(r"\d+\.\d+", check.since)
