"""A document that is no report is told so, at the place; whatever is taken for one can be worked with."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from program import VIOLATING

from auditor import audit
from auditor.cli._main import BUG, run
from auditor.document import document
from auditor.errors import AuditorError
from auditor.reportcheck import fault_of
from auditor.reportfile import load_report

REPORT: dict[str, Any] = json.loads(json.dumps(document(audit(VIOLATING))))
ODD = [None, True, 0, -1, 2**70, 1.5, "", "x", "é", "\udc80", [], {}, ["x"], {"x": 1}, "10.0.0.1", "tcp"]
Place = tuple[str | int, ...]


def places(value: Any, before: Place = ()) -> Iterator[Place]:
    """Of all that is within a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*before, key)
        yield from places(one, (*before, key))


PLACES = list(places(REPORT))


def changed(place: Place, *, to: list[Any]) -> dict[str, Any]:
    """The report with another value at the place; without it where there is none."""
    found = copy.deepcopy(REPORT)
    at: Any = found
    for key in place[:-1]:
        at = at[key]
    if to:
        at[place[-1]] = to[0]
    else:
        del at[place[-1]]
    return found


def test_a_report_is_one() -> None:
    assert fault_of(REPORT) is None


@pytest.mark.parametrize(
    ("place", "to", "told"),
    [
        (("findings",), [], "findings: is missing"),
        (("findings", 0, "title"), [], "findings[0].title: is missing"),
        (("findings",), [{}], "findings: expected a list, there is a mapping"),
        (("findings", 0, "severity"), ["bad"], "findings[0].severity: expected 'info', 'low', 'medium', 'high' or"),
        (("findings", 0, "count"), [-1], "findings[0].count: expected a number from 0 to 9223372036854775807,"),
        (("findings", 0, "count"), [True], "findings[0].count: expected a whole number, there is true"),
        (("flows", 0, "flow_id"), ["x"], "flows[0].flow_id: expected text that fits ^[0-9a-f]{16}$, there is 'x'"),
        (("captures", 0, "start"), ["today"], "captures[0].start: expected a time in UTC or null, there is 'today'"),
        (("flows", 0, "initiator_port"), [70_000], "flows[0].initiator_port: expected a number from 0 to 65535"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, place: Place, to: list[Any], told: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(changed(place, to=to)))
    with pytest.raises(AuditorError) as raised:
        load_report(path)
    assert f"{path}: is no whole report: {told}" in str(raised.value)


def test_what_a_later_version_may_add_is_no_fault() -> None:
    for place in PLACES:
        assert fault_of(changed((*place[:-1], "more"), to=[1]) if isinstance(place[-1], str) else REPORT) is None


@given(st.sampled_from(PLACES), st.sampled_from([[], *([odd] for odd in ODD)]), st.sampled_from(["compare", "explain"]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_change_is_told_or_can_be_worked_with(tmp_path: Path, place: Place, to: list[Any], command: str) -> None:
    odd, whole = tmp_path / "odd.json", tmp_path / "whole.json"
    odd.write_text(json.dumps(changed(place, to=to)))
    whole.write_text(json.dumps(REPORT))
    words = {
        "compare": ["compare", str(odd), str(whole), "--format", "json"],
        "explain": ["explain", REPORT["findings"][0]["id"], "--report", str(odd)],
    }
    assert run(words[command]) != BUG
