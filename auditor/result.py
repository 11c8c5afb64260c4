"""The outcome of an audit: plain records for reports, pandas tables for everybody else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from auditor.frozen import frozen, replace
from auditor.severity import Severity

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from auditor.batches import Labelled
    from auditor.comparison import Comparison
    from auditor.coverage import Coverage
    from auditor.finding import Finding, Unlisted
    from auditor.health import Health
    from auditor.plotting import Plots
    from auditor.request import Request
    from auditor.rulepack import EnabledPack
    from auditor.sessions import Session
    from auditor.site import Site
    from auditor.traffic import Amount
    from auditor.translations import Crossed

CLEAN, VIOLATIONS, INCONCLUSIVE = "clean", "violations", "inconclusive"
EXIT_CODES = {CLEAN: 0, VIOLATIONS: 1, INCONCLUSIVE: 3}
INCOMPLETE_CHECK = "capture-incomplete"


@frozen
class Judged:
    """What the checks and all after them made of the flows."""

    traffic: Mapping[str, Amount]  # by traffic class
    sessions: Sequence[Session] = ()
    rows: Labelled | None = None  # the flow table as far as anybody wanted it; None: nobody wanted a flow
    findings: Sequence[Finding] = ()  # worst first
    unlisted: Sequence[Unlisted] = ()
    coverage: Sequence[Coverage] = ()
    crossed: Crossed | None = None  # what the firewall made of the flows; None: one vantage


@frozen
class Audit:
    """What an audit found.

    `judged` and `health` hold plain records; `flows`, `findings`, `sessions`, `coverage` and `traffic` are pandas
    tables.
    """

    health: Health
    enabled_packs: tuple[EnabledPack, ...]
    site_given: Site | None  # None: the audit had no site
    judged: Judged
    all_flows: bool = False  # the flow table holds the flows of no vendor too
    fail_on: Severity = Severity.MEDIUM
    allow_incomplete: bool = False
    request: Request | None = None  # what was asked for; None: the audit was made from no files

    @property
    def captures(self) -> Sequence[Mapping[str, Any]]:
        """The captures as the engine reports them, in order of reading."""
        return self.health.captures

    @property
    def packs(self) -> list[dict[str, str]]:
        """Id, version and title of each rule pack audited against."""
        packs = (enabled.pack for enabled in self.enabled_packs)
        return [{"id": pack.id, "version": pack.version, "title": pack.title} for pack in packs]

    @property
    def site(self) -> dict[str, Any] | None:
        return None if self.site_given is None else self.site_given.describe()

    def under(self, *, fail_on: Severity | str | None = None, allow_incomplete: bool | None = None) -> Audit:
        """The same audit under other rules for its verdict."""
        severity = Severity[fail_on.upper()] if isinstance(fail_on, str) else fail_on
        return replace(
            self,
            fail_on=self.fail_on if severity is None else severity,
            allow_incomplete=self.allow_incomplete if allow_incomplete is None else allow_incomplete,
        )

    @property
    def violations(self) -> list[Finding]:
        """Findings at or above `fail_on` that no waiver covers."""
        return [finding for finding in self.judged.findings if finding.severity >= self.fail_on and not finding.waived]

    @property
    def losses(self) -> list[str]:
        """Why the captures cannot carry a clean verdict, one sentence for each reason; empty where they can."""
        losses = self.health.losses()
        # a check may know of losses that no capture reports, such as gaps in the vendor's own flows
        noted = [finding.message for finding in self.judged.findings if finding.check == INCOMPLETE_CHECK]
        return losses or list(dict.fromkeys(noted))

    @property
    def verdict(self) -> str:
        """clean | violations | inconclusive"""
        if self.violations or any(more.worst >= self.fail_on for more in self.judged.unlisted):
            return VIOLATIONS
        return INCONCLUSIVE if self.losses and not self.allow_incomplete else CLEAN

    @property
    def exit_code(self) -> int:
        """0 clean, 1 violations, 3 inconclusive."""
        return EXIT_CODES[self.verdict]

    @property
    def reasons(self) -> list[str]:
        """Why the verdict is what it is, one sentence for each reason."""
        found, losses = len(self.violations), self.losses
        words = []
        if found:
            words.append(f"{found} finding{'' if found == 1 else 's'} of severity {self.fail_on.word} or worse")
        waived = sum(finding.waived for finding in self.judged.findings)
        if waived:
            words.append(f"{waived} finding{'' if waived == 1 else 's'} waived by the site")
        words += [f"{more.count} further findings of {more.check} are not listed" for more in self.judged.unlisted]
        return words + losses

    def to_dict(self) -> dict[str, Any]:
        """The report, schema auditor.report/1."""
        from auditor.document import document

        return dict(document(self))

    def report(self, path: str | Path, format: str | None = None) -> None:
        """Write a report; without `format` the file's suffix says which. Raises: AuditorError."""
        from auditor import outputs, reports

        [target] = outputs.plan([str(path)], format, reports.suffixes, inputs=())
        with target.open() as stream:
            reports.write(target.format, self, stream)

    def compare(self, after: Audit) -> Comparison:
        """What differs in an audit of the time after a change; `fail_on` of this one holds for both."""
        from auditor.comparison import compare
        from auditor.document import outline
        from auditor.named import named_by

        named = named_by(self.shown_flows), named_by(after.shown_flows)
        return compare(outline(self), outline(after), fail_on=self.fail_on, named=named)

    @property
    def plot(self) -> Plots:
        """The plots: `.plot.timeline()` and so on, each a matplotlib Figure."""
        from auditor.plotting import Plots

        return Plots(self)

    def __repr__(self) -> str:
        reasons = f": {'; '.join(self.reasons)}" if self.reasons else ""
        return f"<Audit of {', '.join(str(one['path']) for one in self.captures)}: {self.verdict}{reasons}>"

    def _repr_html_(self) -> str:
        from auditor.notebookview import audit_html

        return audit_html(self)

    @cached_property
    def flows(self) -> pd.DataFrame:
        """One row per flow of a vendor; with `all_flows`, per flow."""
        from auditor.tables import flow_table

        return flow_table(self.shown_flows, [str(capture["path"]) for capture in self.captures])

    @cached_property
    def shown_flows(self) -> Labelled | None:
        """The rows of the flow table that a report shows, as columns."""
        rows = self.judged.rows
        return rows if rows is None or self.all_flows else rows._replace(flows=rows.flows[rows.concerning_vendors()])

    def flow_entries(self) -> Iterator[dict[str, Any]]:
        """The same rows as entries of the document, made as they are asked for."""
        rows = self.judged.rows
        if rows is None:
            return iter(())
        from auditor import flowtable

        chosen = None if self.all_flows else rows.concerning_vendors()
        return flowtable.rows(rows.flows, rows.labels, [str(capture["path"]) for capture in self.captures], chosen)

    @cached_property
    def findings(self) -> pd.DataFrame:
        """One row per finding, worst first."""
        from auditor.tables import finding_table

        return finding_table(self.judged.findings)

    @cached_property
    def sessions(self) -> pd.DataFrame:
        """One row per backup run, restore, registration or use of the support tool."""
        from auditor.tables import session_table

        return session_table(self.judged.sessions)

    @cached_property
    def coverage(self) -> pd.DataFrame:
        """One row per published statement."""
        from auditor.tables import coverage_table

        return coverage_table(self.judged.coverage)

    @cached_property
    def traffic(self) -> pd.DataFrame:
        """Flows, packets and bytes; the index is the traffic class."""
        from auditor.tables import traffic_table

        return traffic_table(self.judged.traffic)
