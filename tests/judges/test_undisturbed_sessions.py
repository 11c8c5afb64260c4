"""Whether sessions with named servers were left alone on their way."""

from dataclasses import replace
from typing import Any

import numpy as np
from flowbuilder import Row, classified, raw, row
from verdicts import verdict

from auditor.judges.base import Case, Verdict
from auditor.judges.undisturbed_sessions import UndisturbedSessions
from auditor.vantages import Vantages


def disturbed(*rows: Row, **more: Any) -> Verdict:
    return verdict("undisturbed-sessions", "drbackup", *rows, **more)


def control(**more: Any) -> Row:
    return row("10.0.0.5:3000", "66.241.7.9:21", **more)


def test_answered_sessions_without_reset_were_left_alone() -> None:
    assert disturbed(control(), control(history="ShADadFfR")).status == "met"


def test_resets_and_silence_may_have_many_causes() -> None:
    for history, told in (("ShADadr", "cut by RST"), ("Sr", "refused"), ("S", "without answer")):
        found = disturbed(control(), control(history=history))
        assert found.status == "inconclusive"
        assert told in found.evidence


def test_the_support_tool_is_not_published_under_the_name() -> None:
    assert disturbed(row("10.0.0.5:3000", "96.231.233.4:443", history="S")).status == "not exercised"


def test_a_reset_that_only_the_inside_got_was_made_at_the_firewall() -> None:
    def judged(outside: str) -> str:
        flows, context = classified(control(history="ShADadr"))
        far = raw(row("203.0.113.7:3000", "66.241.7.9:21", history=outside))
        one = np.zeros(1, np.uint8)
        none = np.zeros(1, np.bool_)
        vantages = Vantages(far, np.zeros(1, np.intp), one, one, none, none, 0)
        case = Case(flows, replace(context, vantages=vantages), [])
        return UndisturbedSessions().judge(context.pack("drbackup"), case).status

    assert judged("ShADad") == "violated"
    assert judged("ShADadr") == "inconclusive"
