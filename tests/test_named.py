"""What flows name is the same in the flow table and in a report's document."""

from __future__ import annotations

import pytest
from samples import CAPTURES

from auditor.document import document
from auditor.named import Named, named_by, named_in
from auditor.pipeline import audit

SAMPLES = [
    "drbackup-violating.pcapng",
    "online-backup-service-violating.pcapng",
    "connected-backup-violating.pcapng",
    "changes/before.pcap",
    "checks/proxy-target-outside-published-fires-names.pcap",
]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_table_and_its_document_name_the_same(name: str) -> None:
    report = audit(CAPTURES / name, all_flows=True)
    named = named_by(report.shown_flows)
    assert all(named)
    assert named == named_in(document(report)["flows"])


def test_flows_that_may_be_of_several_vendors_name_each_of_them() -> None:
    flow = {"vendor": "one|other", "role": "data", "service": "", "server_ip": "192.0.2.1", "client_ip": "10.0.0.1"}
    unpublished = {**flow, "vendor": "third", "role": "unpublished"}
    assert named_in([flow, unpublished]) == Named(  # type: ignore[list-item]
        vendors=frozenset({"one", "other"}),
        servers=frozenset({("one|other", "192.0.2.1"), ("third", "192.0.2.1")}),
        clients=frozenset({("one|other", "10.0.0.1"), ("third", "10.0.0.1")}),
    )


def test_no_table_names_nothing() -> None:
    assert named_by(None) == Named(frozenset())
