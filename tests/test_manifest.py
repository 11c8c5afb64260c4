"""What a report rests on, and what its hashes cost."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from program import CLEAN, ROOT, VIOLATING, run

import auditor
from auditor import digests, manifest
from auditor.manifest import manifest_of
from auditor.request import CAPTURE, input_files


def test_inputs_packs_site_and_options_are_named_with_their_hashes(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("packs: {drbackup: {}}\n")
    found = manifest_of(auditor.audit(VIOLATING, site=site, fail_on="high"), hashed=True)
    (capture,) = found["inputs"]
    assert capture["sha256"] == hashlib.sha256(VIOLATING.read_bytes()).hexdigest()
    assert capture["bytes"] == VIOLATING.stat().st_size
    (pack,) = found["packs"]
    assert (pack["id"], pack["file"]) == ("drbackup", "rules/drbackup.yaml")
    assert pack["sha256"] == hashlib.sha256((ROOT / "rules" / "drbackup.yaml").read_bytes()).hexdigest()
    assert found["site"] is not None
    assert found["site"]["sha256"] == hashlib.sha256(site.read_bytes()).hexdigest()
    assert found["options"]["fail_on"] == "high"


def test_a_capture_that_changed_after_the_audit_has_no_hash(tmp_path: Path) -> None:
    capture = tmp_path / "capture.pcapng"
    capture.write_bytes(CLEAN.read_bytes())
    report = auditor.audit(capture)
    capture.write_bytes(CLEAN.read_bytes() + bytes(8))
    (entry,) = manifest_of(report, hashed=True)["inputs"]
    assert entry["sha256"] is None
    assert entry["note"] == "changed after it was audited"


def test_a_pack_that_changed_after_the_audit_has_no_hash(tmp_path: Path) -> None:
    pack = tmp_path / "mine.yaml"
    pack.write_text((ROOT / "rules" / "drbackup.yaml").read_text().replace("id: drbackup", "id: mine", 1))
    report = auditor.audit(CLEAN, packs=[pack])
    assert manifest_of(report, hashed=True)["packs"][0]["sha256"] == hashlib.sha256(pack.read_bytes()).hexdigest()
    pack.write_text(pack.read_text().replace("[21]", "[22]"))
    (entry,) = manifest_of(report, hashed=True)["packs"]
    assert (entry["sha256"], entry["file"]) == (None, str(pack))
    assert "changed" in entry["note"]


def test_standard_input_has_no_hash_and_says_so() -> None:
    done = run("audit", "-", "--format", "json", stdin=CLEAN.read_bytes())
    (entry,) = json.loads(done.stdout)["manifest"]["inputs"]
    assert entry == {"path": "-", "role": "capture", "bytes": None, "sha256": None, "note": "standard input"}


def test_json_leaves_large_captures_unhashed_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "QUICK_BYTES", 10)
    report = auditor.audit(CLEAN)
    (entry,) = report.to_dict()["manifest"]["inputs"]
    assert entry["sha256"] is None
    assert "--hash" in entry["note"]
    (entry,) = manifest_of(report, hashed=True)["inputs"]
    assert entry["sha256"]


def test_hashes_are_made_beside_the_scan_where_they_are_wanted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    capture = tmp_path / "beside.pcapng"
    capture.write_bytes(CLEAN.read_bytes())
    report = auditor.audit(capture, hash_inputs=True)
    assert report.request is not None
    assert digests.begun(report.request.inputs[0])
    monkeypatch.setattr(digests, "_digest", None)  # nothing is hashed a second time
    assert report.to_dict()["manifest"]["inputs"][0]["sha256"] == hashlib.sha256(CLEAN.read_bytes()).hexdigest()


def test_the_hash_of_a_long_file_is_right(tmp_path: Path) -> None:
    file = tmp_path / "long"
    content = os.urandom(digests.BLOCK * 2 + 77)
    file.write_bytes(content)
    (entry,) = input_files([str(file)], CAPTURE)
    assert digests.digest_of(entry) == (hashlib.sha256(content).hexdigest(), "")


def test_two_vantages_and_the_file_of_processes_are_inputs(tmp_path: Path) -> None:
    folder = ROOT / "captures" / "checks"
    report = auditor.audit(
        inside=folder / "not-transparent-fires.pcap", outside=folder / "not-transparent-fires-outside.pcap"
    )
    roles = [entry["role"] for entry in manifest_of(report, hashed=True)["inputs"]]
    assert roles == ["inside", "outside"]


def test_the_same_audit_gives_the_same_bytes() -> None:
    for format in ("json", "html", "sarif", "junit", "markdown", "eve", "ecs"):
        first, second = (run("audit", VIOLATING, "--format", format).stdout for _ in range(2))
        assert first == second
