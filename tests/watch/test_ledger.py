"""What is kept of rows that left, and what is not."""

from __future__ import annotations

from dataclasses import replace

import auditor
from auditor.watch.ledger import Ledger
from tests.program import VIOLATING


def test_an_objection_that_arose_only_because_its_explanation_left_never_becomes_a_finding() -> None:
    whole = replace(auditor.audit(VIOLATING).judged, sessions=[])
    artefact = next(finding for finding in whole.findings if finding.flow_ids)
    explained = replace(whole, findings=[finding for finding in whole.findings if finding is not artefact])
    ledger = Ledger(findings=100, sessions=1, named=100)
    ledger.put_down(explained, whole)  # the explanation leaves
    assert artefact.id not in {finding.id for finding in ledger.with_past(whole).findings}
    ledger.put_down(whole, explained)  # the flow leaves as well
    assert artefact.id not in {finding.id for finding in ledger.with_past(explained).findings}
    # nothing is remembered of it
    assert artefact.id in {finding.id for finding in ledger.with_past(whole).findings}
