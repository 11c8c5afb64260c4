"""What a judge is, what it is given, and what it answers with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from auditor import discovery
from auditor.frozen import frozen
from auditor.lean import NamedTuple

if TYPE_CHECKING:
    from auditor.checks.base import Context
    from auditor.flow import Flows
    from auditor.rulepack import EnabledPack
    from auditor.sessions import Session


class Verdict(NamedTuple):
    """How the traffic stands to one statement, as in `auditor.coverage`, and the evidence in words."""

    status: str
    evidence: str


@frozen
class Case:
    """What there is to judge by."""

    flows: Flows  # whole, classified
    context: Context
    sessions: Sequence[Session]


class Judge:
    """Base of the judges. Subclasses give the id and `judge`.

    A judge says met only of what the captures would have shown otherwise; what they lack as a whole (losses, one
    direction only) the coverage weighs. What it finds violated objects to no single flow: it moves no verdict.
    """

    id: ClassVar[str]

    def judge(self, enabled: EnabledPack, case: Case) -> Verdict:
        """The verdict for the vendor of the pack."""
        raise NotImplementedError


def verdicts_of(packs: Sequence[EnabledPack], case: Case) -> Mapping[tuple[str, str], Verdict]:
    """By vendor and judge, for the judges that the pack's statements name and the vendors that have traffic."""
    judges = {judge.id: judge for judge in all_judges()}
    return {
        (enabled.id, name): judges[name].judge(enabled, case)
        for enabled in packs
        if any(enabled.id in names.split("|") for names in case.context.labels.vendors)
        for name in {name for statement in enabled.pack.statements for name in statement.checked_by} & judges.keys()
    }


@cache
def all_judges() -> Sequence[Judge]:
    """One of each judge there is, sorted by id. They keep nothing."""
    return [judge for judge in discovery.instances("auditor.judges", Judge) if isinstance(judge, Judge)]
