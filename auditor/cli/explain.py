"""`auditor explain`: what a check finds, and why; or the story of one finding."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from auditor.cli._option import Argument, Option
from auditor.errors import AuditorError
from auditor.scan import VLAN_MODES, ScanOptions

if TYPE_CHECKING:
    from auditor.checks.base import Check
    from auditor.terminal import Screen


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
    what: Annotated[
        str,
        Argument(
            "Id of a check, or with --report of a finding; none lists all checks.", "CHECK|FINDING", check_ids, False
        ),
    ] = "",
    captures: Annotated[
        tuple[str, ...], Argument("With a finding: the captures, to tell it packet by packet.", "CAPTURE", None, False)
    ] = (),
    *,
    report: Annotated[str | None, Option("JSON report that has the finding.", "FILE")] = None,
    pack: Annotated[tuple[str, ...], Option("With a finding: a rule pack that is not shipped.", "FILE")] = (),
    validate_checksums: Annotated[bool, Option("With a finding: read the captures as its audit did.")] = False,
    keep_duplicates: Annotated[bool, Option("With a finding: read the captures as its audit did.")] = False,
    vlan: Annotated[
        str, Option("With a finding: read the captures as its audit did: auto, ignore, strict.", "MODE", VLAN_MODES)
    ] = "auto",
) -> int:
    """Explain what a check finds, why it matters, and when it stays silent; or tell the story of a finding.

    The story of a finding says what the vendor publishes, what happened, packet by packet in the words of tshark where
    that is installed, and what would make it pass.

    Example:
      auditor explain udp-use
      auditor explain 5d1c0f --report report.json monday.pcapng
      auditor explain
    """
    import sys

    from auditor.terminal import screen_of

    screen = screen_of(sys.stdout)
    reading = ScanOptions(validate_checksums=validate_checksums, keep_duplicates=keep_duplicates, vlan=vlan)
    if report is None:
        if captures or pack or reading != ScanOptions():
            raise AuditorError(
                "captures, packs and how to read belong to a finding; expected --report with the report that has it"
            )
        return _explain_check(what, screen)
    from auditor.evidence.story import story
    from auditor.outputs import say
    from auditor.reportfile import load_report

    if not what:
        raise AuditorError("no finding is named", help="Example:\n  auditor explain 5d1c0f --report report.json")
    text, notes = story(what, load_report(report), captures, screen, pack, reading)
    print(text, end="")
    for note in notes:
        say(note)
    return 0


def _explain_check(check: str, screen: "Screen") -> int:
    import inspect

    from auditor.layout import Page
    from auditor.words import did_you_mean

    page = Page(screen)
    if not check:
        page.table([[one.id, one.title] for one in _checks()])
        print(page, end="")
        return 0
    found = next((one for one in _checks() if one.id == check), None)
    if found is None:
        raise AuditorError(
            f"no check {check!r}{did_you_mean(check, check_ids())}",
            help="`auditor explain` lists them all; a finding needs --report with the report that has it",
        )
    documentation = inspect.getdoc(inspect.getmodule(found)) or ""
    print(f"{found.id}: {found.title} (since {found.since})\n\n{documentation}")
    if published := _published(found.id):
        page.heading("Published by")
        page.table(published)
        print(page, end="")
    return 0
