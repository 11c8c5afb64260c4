"""Where the rule stands that a finding breaks: a line of a rule pack or of the site file. Every finding has one."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from auditor.rulefiles import RuleFile, pack_files, site_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.finding import Finding
    from auditor.places import Place
    from auditor.result import Audit
    from auditor.rulepack import RulePack

CLIENTS = "backup_hosts"
"""The site's key that findings without a vendor are about: what its hosts may do and what may be done to them."""


class RuleLine(NamedTuple):
    """A line of a file of rules, from 1."""

    file: RuleFile
    line: int


class RuleLines:
    """The lines of one audit's rules."""

    def __init__(self, report: Audit) -> None:
        self._report = report
        self._packs = {enabled.id: enabled.pack for enabled in report.enabled_packs}

    @cached_property
    def pack_files(self) -> dict[str, RuleFile]:
        return pack_files(self._report)

    @cached_property
    def site_file(self) -> RuleFile | None:
        return site_file(self._report)

    @cached_property
    def _site_keys(self) -> dict[str, str]:
        from auditor.judging import all_checks

        return {check.id: check.site_key for check in all_checks()}

    def of(self, finding: Finding) -> RuleLine:
        """The line that the finding breaks."""
        return next(self.all_of(finding))

    def all_of(self, finding: Finding) -> Iterator[RuleLine]:
        """The line that the finding breaks, then those of other vendors that it may concern."""
        known = [self._packs[vendor] for vendor in finding.vendors if vendor in self._packs]
        key = self._site_keys.get(finding.check, "")
        if self.site_file is not None and (key or not known):
            yield RuleLine(self.site_file, self.site_file.line(self._site_place(finding, key or CLIENTS)))
        for pack in known or list(self._packs.values())[:1]:
            file = self.pack_files[pack.id]
            yield RuleLine(file, file.line(_pack_place(finding, pack)))

    def of_waiver(self, finding: Finding) -> RuleLine | None:
        """The line of the waiver that speaks of the finding."""
        site = self._report.site_given
        if finding.waiver is None or site is None or self.site_file is None:
            return None
        at = next((at for at, waiver in enumerate(site.waivers) if waiver == finding.waiver.waiver), None)
        place: Place = ("waivers",) if at is None else ("waivers", at)
        return RuleLine(self.site_file, self.site_file.line(place))

    def _site_place(self, finding: Finding, key: str) -> Place:
        from auditor.addresses import parse_address

        site = self._report.site_given
        if key == CLIENTS and site is not None and finding.client_ip:
            address = parse_address(finding.client_ip)
            named = [at for at, host in enumerate(site.backup_hosts) if address in host.range]
            return (key, named[0]) if named else (key,)
        return (key,)


def _pack_place(finding: Finding, pack: RulePack) -> Place:
    """The statement that is broken; or else the services, which do not list what was seen."""
    at = {statement.id: at for at, statement in enumerate(pack.statements)}
    names = [name for name in (finding.statement, *finding.statements) if name in at]
    return ("statements", at[names[0]]) if names else ("services",)
