"""What a context remembers of the flows that it was asked about."""

from __future__ import annotations

from dataclasses import replace

from flowbuilder import context_for, raw, row

from auditor.checks.base import Context
from auditor.flow import Flows
from auditor.once import once

asked: list[int] = []


@once
def count(flows: Flows, context: Context) -> int:
    asked.append(len(flows))
    return len(flows) + len(context.packs)


def test_a_fact_is_found_once_for_the_same_flows_and_anew_for_others() -> None:
    flows, context = raw(row("10.0.0.5:3000", "66.241.7.1:21")), context_for(["drbackup"])
    asked.clear()
    assert [count(flows, context), count(flows, context)] == [2, 2]
    assert asked == [1]
    more = raw(row("10.0.0.5:3000", "66.241.7.1:21"), row("10.0.0.5:3001", "66.241.7.1:21"))
    assert count(more, context) == 3
    assert asked == [1, 2]


def test_a_context_with_other_packs_remembers_nothing_of_the_one_it_was_made_from() -> None:
    flows, context = raw(row("10.0.0.5:3000", "66.241.7.1:21")), context_for(["drbackup"])
    assert count(flows, context) == 2
    assert count(flows, replace(context, packs=())) == 1
    assert count(flows, context) == 2
