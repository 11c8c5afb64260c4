"""Stored flows are judged as their captures are, and other rules change exactly what they should."""

from __future__ import annotations

import json
import shutil
import zlib
from pathlib import Path
from typing import Any

import pytest
from program import CAPTURES, CLEAN, VIOLATING, run
from samples import ROOT, Sample, samples

from auditor.document import document
from auditor.errors import AuditorError
from auditor.flowstore import KEY, judge_stored, load_flows, store_flows, unheard
from auditor.pipeline import audit
from auditor.result import Audit
from auditor.rulepack import enable
from auditor.site import Site, load_site

BEFORE = CAPTURES / "changes" / "before.pcap"
ONE_VANTAGE = [one for one in samples() if not {"outside", "processes"} & one.sidecar.keys()]


def told(report: Audit) -> dict[str, Any]:
    """The document, without what it says of how it was made."""
    return {key: value for key, value in document(report).items() if key != "manifest"}


def rules_of(sample: Sample) -> dict[str, Any]:
    site = sample.sidecar.get("site")
    return {"packs": sample.sidecar.get("packs", ()), "site": str(CAPTURES / site) if site else None}


@pytest.mark.parametrize("sample", ONE_VANTAGE, ids=lambda sample: sample.name)
def test_stored_flows_are_judged_as_the_capture_is(sample: Sample, tmp_path: Path) -> None:
    store, rules = tmp_path / "f.parquet", rules_of(sample)
    store_flows([str(sample.capture)], store, **rules)
    stored = told(judge_stored(load_flows(store), **rules))
    assert stored == told(audit(sample.capture, all_flows=True, **rules))


@pytest.mark.parametrize("name", ["drbackup-violating.pcapng", "online-backup-service-violating.pcapng"])
def test_what_no_rule_knew_of_when_the_flows_were_stored_is_judged_by_new_rules(name: str, tmp_path: Path) -> None:
    store, site = tmp_path / "f.parquet", str(CAPTURES / "sites" / "backup-hosts.yaml")
    store_flows([str(CAPTURES / name)], store)
    stored = load_flows(store)
    assert unheard(stored, enable(load_site(site)), load_site(site)) == []
    assert told(judge_stored(stored, site=site)) == told(audit(CAPTURES / name, site=site, all_flows=True))


def test_what_was_not_read_of_payload_is_said(tmp_path: Path) -> None:
    store = tmp_path / "f.parquet"
    store_flows([str(VIOLATING)], store, packs=["securidata"])
    said = unheard(load_flows(store), enable(None, ["drbackup"]), Site())
    assert any("ftp on TCP port 21" in sentence for sentence in said)
    assert any("unencrypted-payload" in sentence for sentence in said)
    assert any("rbs.drbackup.net" in sentence for sentence in said)
    done = run("whatif", store, "--old-pack", "securidata", "--pack", "drbackup")
    assert "not judged again: " in done.stdout
    assert done.returncode == 1  # what got worse got worse all the same
    clean = tmp_path / "c.parquet"
    store_flows([str(CLEAN)], clean, packs=["securidata"])
    assert run("whatif", clean, "--old-pack", "securidata", "--pack", "drbackup").returncode == 3


def test_a_pack_with_another_range_changes_exactly_the_flows_outside_of_it(tmp_path: Path) -> None:
    pack = tmp_path / "drbackup.yaml"
    text = (ROOT / "rules" / "drbackup.yaml").read_text()
    pack.write_text(text.replace("66.241.7.1-66.241.7.30", "66.241.7.1-66.241.7.31"))
    done = run("whatif", VIOLATING, "--old-pack", "drbackup", "--pack", pack, "--format", "json")
    found = json.loads(done.stdout)
    assert (found["verdict"], done.returncode) == ("better", 0)
    assert [one["check"] for one in found["findings"]["gone"]] == ["destination-outside-published"]
    assert found["findings"]["new"] == []
    [flow] = found["flows"]
    assert flow["responder_ip"] == "66.241.7.31"
    assert flow["before"]["checks"] == ["destination-outside-published"]
    assert flow["after"]["checks"] == []
    assert (flow["before"]["role"], flow["after"]["role"]) == ("unpublished", "control")


def test_a_site_that_lists_another_backup_host_objects_to_every_session(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("backup_hosts: [10.1.2.9]\n")
    found = json.loads(run("whatif", BEFORE, "--site", site, "--format", "json").stdout)
    assert found["verdict"] == "worse"
    assert {one["check"] for one in found["findings"]["new"]} == {"unauthorised-client"}
    assert {tuple(flow["after"]["checks"]) for flow in found["flows"]} == {
        ("unauthorised-client",),
        ("udp-use", "unauthorised-client"),
    } or all("unauthorised-client" in flow["after"]["checks"] for flow in found["flows"])


def test_the_same_rules_change_nothing() -> None:
    done = run("whatif", VIOLATING, "--pack", "drbackup", "--old-pack", "drbackup", "--format", "json")
    found = json.loads(done.stdout)
    assert (found["verdict"], found["flows"], done.returncode) == ("same", [], 0)


def test_captures_and_stored_flows_say_the_same(tmp_path: Path) -> None:
    store = tmp_path / "f.parquet"
    assert run("flows", VIOLATING, "-o", store).returncode == 0
    site = CAPTURES / "sites" / "backup-hosts.yaml"
    texts = {run("whatif", path, "--site", site, "--format", "json").stdout for path in (VIOLATING, store)}
    assert len(texts) == 1


def test_the_stored_table_has_the_columns_of_the_flow_table(tmp_path: Path) -> None:
    import pyarrow.parquet

    store = tmp_path / "f.parquet"
    assert run("flows", VIOLATING, "-o", store).returncode == 0
    rows = [json.loads(line) for line in run("flows", VIOLATING, "--format", "jsonl").stdout.splitlines()]
    table = pyarrow.parquet.read_table(store)
    assert [name for name in table.column_names if not name.startswith("engine_")] == list(rows[0])
    stored = {row["flow_id"]: row for row in table.to_pylist()}
    for row in rows:
        same = [name for name in row if name not in ("start", "end")]
        assert [stored[row["flow_id"]][name] for name in same] == [row[name] for name in same]
    assert str(table.schema.field("start").type) == "timestamp[ns, tz=UTC]"


def test_a_cut_capture_stays_inconclusive_in_the_store(tmp_path: Path) -> None:
    store, cut = tmp_path / "f.parquet", tmp_path / "cut.pcapng"
    cut.write_bytes(CLEAN.read_bytes()[:-100])
    assert run("flows", cut, "-o", store).returncode == 3
    assert judge_stored(load_flows(store)).verdict == audit(cut).verdict == "inconclusive"


def test_metadata_without_one_of_its_parts_is_told(tmp_path: Path) -> None:
    import pyarrow.parquet

    store, changed = tmp_path / "f.parquet", tmp_path / "changed.parquet"
    store_flows([str(CLEAN)], store)
    table = pyarrow.parquet.read_table(store)
    kept = json.loads(zlib.decompress(table.schema.metadata[KEY]))
    assert len(kept) > 8
    for part in kept:
        rest = {name: value for name, value in kept.items() if name != part}
        packed = zlib.compress(json.dumps(rest).encode())
        pyarrow.parquet.write_table(table.replace_schema_metadata({KEY: packed}), changed)
        with pytest.raises(AuditorError, match=f"changed.parquet: is no flow table.*'{part}' is missing"):
            load_flows(changed)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("whatif", "{store}"), "no rules are given"),
        (("whatif", "{store}", "{store}", "--pack", "drbackup"), "one file at a time"),
        (("whatif", "{broken}", "--pack", "drbackup"), "no flow table that can be read"),
        (("whatif", "{foreign}", "--pack", "drbackup"), "no flow table of ours"),
        (("flows", str(VIOLATING), "--format", "parquet"), "written to a file"),
        (("flows", str(VIOLATING), "-o", "{store}.parquet", "-o", "{store}.csv"), "written alone"),
        (("flows", "pyproject.toml", "-o", "{store}.parquet"), "pyproject.toml"),
    ],
    ids=["no rules", "two", "broken", "foreign", "standard output", "two outputs", "no capture"],
)
def test_a_mistake_is_exit_2(words: tuple[str, ...], message: str, tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    names = {name: str(tmp_path / f"{name}.parquet") for name in ("store", "broken", "foreign")}
    store_flows([str(CLEAN)], names["store"])
    shutil.copy(names["store"], names["broken"])
    with open(names["broken"], "r+b") as file:
        file.truncate(3000)
    pyarrow.parquet.write_table(pyarrow.table({"a": [1]}), names["foreign"])
    done = run(*(word.format(**names) for word in words))
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
