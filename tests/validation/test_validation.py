"""Whatever stands in a document, it becomes a value or a list of errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import DocumentError
from auditor.rulepack import RULES, RulePack, Service, Statement
from auditor.site import BackupHost, Feature, PackOptions, Proxy, Site, Thresholds, Waiver
from auditor.validation.pack import validate_pack
from auditor.validation.prune import Pruned
from auditor.validation.site import validate_site

KEYS = sorted(
    {f.name for kind in (Site, PackOptions, BackupHost, Proxy, Waiver, Feature, Thresholds) for f in fields(kind)}
    | {f.name for kind in (RulePack, Service, Statement) for f in fields(kind)}
    | {"from", "to", "days", "cron", "duration", "timezone", "drbackup", "securidata", "gui-monitoring", "nonsense"}
)
TEXTS = [
    "10.0.0.1",
    "10.0.0.0/8",
    "66.241.7.0/24",
    "16384",
    "true",
    "udp-use",
    "22:00",
    "UTC",
    "outside",
    "tcp",
    "x",
    "",
]

DOCUMENTS = st.recursive(
    st.one_of(st.none(), st.sampled_from(TEXTS), st.text(max_size=4)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(KEYS), inner, min_size=1, max_size=6)
    ),
    max_leaves=25,
)


def value_or_errors(validate: Callable[[bytes, str], Any], content: bytes) -> Any:
    try:
        return validate(content, "f.yaml")
    except DocumentError as error:
        return error.errors


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), DOCUMENTS, min_size=1, max_size=8))
def test_any_document_gives_a_value_or_errors_with_lines(data: dict[str, Any]) -> None:
    content = json.dumps(data).replace("null", "").encode()  # JSON is YAML, but for the missing values
    for validate, kind in ((validate_site, Site), (validate_pack, RulePack)):
        outcome = value_or_errors(validate, content)
        assert isinstance(outcome, kind) or (outcome and all(line.startswith("f.yaml:1: ") for line in outcome))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_one_change_to_a_shipped_pack_is_read_or_told(data: st.DataObject) -> None:
    lines = Path(RULES, "drbackup.yaml").read_text(encoding="utf-8").splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    lines[at] = data.draw(st.sampled_from(["", "x", "  x: 1", "- y", lines[at] + "z", lines[at].replace(":", "", 1)]))
    outcome = value_or_errors(validate_pack, "\n".join(lines).encode())
    assert isinstance(outcome, RulePack) or all(line.startswith("f.yaml:") for line in outcome)


def test_the_way_back_leads_to_the_place_in_the_whole_document() -> None:
    pruned = Pruned({"a": ["0", "1", "2", {"b": ["x", "y"]}]})
    pruned.remove([("a", 0), ("a", 2), ("a", 3, "b", 0)])
    assert pruned.data == {"a": ["1", {"b": ["y"]}]}
    assert pruned.original(("a", 1, "b", 0)) == ("a", 3, "b", 1)


def test_what_becomes_wrong_by_a_removal_is_removed_as_a_whole() -> None:
    pruned = Pruned({"a": [{"b": "1", "c": "2"}, {"b": "3"}]})
    pruned.remove([("a", 0, "b")])
    assert pruned.data == {"a": [{"c": "2"}, {"b": "3"}]}
    pruned.remove([("a", 0, "b")])
    assert pruned.data == {"a": [{"b": "3"}]}
    assert pruned.original(("a", 0, "b")) == ("a", 1, "b")
    pruned.remove([()])
    assert pruned.data is None


@pytest.mark.parametrize("missing", [("a", 0, "z"), ("a", 9), ("a", 0, "b", "c")])
def test_a_place_that_is_not_there_stands_for_what_lacks_it(missing: tuple[str | int, ...]) -> None:
    pruned = Pruned({"a": [{"b": "1"}], "d": "2"})
    pruned.remove([missing])
    assert pruned.data in ({"a": [], "d": "2"}, {"d": "2"}, {"a": [{}], "d": "2"})
