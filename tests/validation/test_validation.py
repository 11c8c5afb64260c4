"""Whatever stands in a document, it becomes a value or a list of errors."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import DocumentError
from auditor.rulepack import RULES, RulePack, Service, Statement
from auditor.site import BackupHost, Feature, PackOptions, Proxy, Site, Thresholds, Waiver
from auditor.validation.monitor import validate_monitor
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


SITE = """
inside: [10.0.0.0/8]
packs:
  drbackup: {networks: [192.0.2.0/24, 204.164.111.0/24]}
  securidata: {features: {gui-monitoring: {networks: [192.0.2.0/24]}}}
backup_hosts: [{address: 10.0.0.1, dedicated: true}]
proxies: [{kind: socks, address: 10.0.0.9, port: 1080}]
mapped_proxies: {"10.0.0.9:9001": 204.164.111.5}
windows: [{cron: 0 22 * * *, duration: 8h, timezone: UTC}]
thresholds: {midstream_grace: 60}
waivers: [{check: udp-use, reason: x, expires: 2027-01-31}]
"""
MONITOR = (Path(__file__).parents[2] / "docs" / "monitor.yaml").read_text(encoding="utf-8")
WHOLE = [("site", validate_site, SITE), ("monitor", validate_monitor, MONITOR)] + [
    (pack.name, validate_pack, pack.read_text(encoding="utf-8")) for pack in sorted(Path(RULES).glob("*.yaml"))
]


def mappings(value: Any) -> Iterator[dict[str, Any]]:
    """All within a document, itself among them."""
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from mappings(inner)


@pytest.mark.parametrize(("validate", "text"), [pytest.param(*rest, id=name) for name, *rest in WHOLE])
def test_a_key_that_nobody_knows_is_told_wherever_it_stands(validate: Callable[[bytes, str], Any], text: str) -> None:
    whole = yaml.safe_load(text)
    validate(text.encode(), "f.yaml")
    for number in range(len(list(mappings(whole)))):
        document = copy.deepcopy(whole)
        list(mappings(document))[number]["zzz"] = None
        outcome = value_or_errors(validate, json.dumps(document, default=str).replace("null", "").encode())
        assert isinstance(outcome, list | tuple)
        assert any("zzz" in line for line in outcome), outcome
