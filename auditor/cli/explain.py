"""`auditor explain`: what a check finds, and why."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from auditor.cli._option import Argument
from auditor.errors import AuditorError

if TYPE_CHECKING:
    from auditor.checks.base import Check


def check_ids() -> Sequence[str]:
    """Ids of all checks, for the shell's completion too."""
    from auditor import discovery

    return discovery.ids("auditor.checks")


def _checks() -> "list[Check]":
    from auditor import discovery
    from auditor.checks.base import Check

    return [check for check in discovery.instances("auditor.checks", Check) if isinstance(check, Check)]


def _published(check: str) -> list[list[str]]:
    """Pack, statement and what it says, of the statements that this check judges."""
    from auditor.rulepack import shipped_packs

    return [
        [pack.id, statement.id, statement.what]
        for pack in shipped_packs()
        for statement in pack.statements
        if check in statement.checked_by
    ]


def run(
    check: Annotated[
        str, Argument("Id of the check; without one, all checks are listed.", "CHECK", check_ids, False)
    ] = "",
) -> int:
    """Explain what a check finds, why it matters, and when it stays silent.

    Example:
      auditor explain udp-use
      auditor explain
    """
    import inspect
    import sys

    from auditor.layout import Page
    from auditor.terminal import screen_of
    from auditor.words import did_you_mean

    page = Page(screen_of(sys.stdout))
    if not check:
        page.table([[one.id, one.title] for one in _checks()])
        print(page, end="")
        return 0
    found = next((one for one in _checks() if one.id == check), None)
    if found is None:
        raise AuditorError(
            f"no check {check!r}{did_you_mean(check, check_ids())}", help="`auditor explain` lists them all"
        )
    documentation = inspect.getdoc(inspect.getmodule(found)) or ""
    print(f"{found.id}: {found.title} (since {found.since})\n\n{documentation}")
    if published := _published(found.id):
        page.heading("Published by")
        page.table(published)
        print(page, end="")
    return 0
