"""The sample captures are what their sidecars say, and the audit says of each what it must."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from samples import CAPTURES, ROOT, Sample, audited, differences, samples, sidecars
from scapy.utils import RawPcapReader

from auditor.discovery import ids

SAMPLES = samples()
LARGEST_BYTES, ALL_BYTES = 200_000, 6_000_000
LAB_SECONDS = 120
# One for each kind of program that the lab runs.
LAB_SAMPLES = (
    "online-backup-service-violating",
    "checks/active-mode-ftp-fires",
    "checks/hostname-resolves-outside-fires",
    "checks/proxy-target-outside-published-fires",
)
PROGRAMS = ("dnsmasq", "ip", "microsocks", "tinyproxy")
JUDGED = ("met", "violated")

each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)


def generate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The generator, run as a program of its own."""
    command = [sys.executable, "-m", "captures.generate", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=LAB_SECONDS, cwd=ROOT, check=False)


def what_the_lab_lacks() -> str:
    """Why no capture can be made by real network stacks here; empty if one can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "network namespaces need Linux and root"
    if missing := [name for name in PROGRAMS if not shutil.which(name)]:
        return f"the lab needs {', '.join(missing)}"
    if not shutil.which("dumpcap") and not shutil.which("tcpdump"):
        return "the lab needs dumpcap or tcpdump"
    return ""


@each_sample
def test_sidecar_facts_hold(sample: Sample) -> None:
    data = sample.capture.read_bytes()
    assert hashlib.sha256(data).hexdigest() == sample.sidecar["sha256"]
    with RawPcapReader(str(sample.capture)) as reader:
        whole = sum(1 for captured, header in reader if len(captured) == getattr(header, "caplen", len(captured)))
    assert whole == sample.sidecar["frames"]
    assert {"holds", "origin", "how_made", "licence"} <= sample.sidecar.keys()


def test_captures_are_small() -> None:
    sizes = [sample.capture.stat().st_size for sample in SAMPLES]
    assert max(sizes) < LARGEST_BYTES
    assert sum(sizes) < ALL_BYTES


def test_every_capture_has_a_sidecar() -> None:
    described = {path.with_suffix("") for path in sidecars()}
    captures = [path for suffix in ("pcap", "pcapng") for path in CAPTURES.rglob(f"*.{suffix}")]
    assert captures
    assert not [path for path in captures if path.with_suffix("") not in described]


@pytest.mark.parametrize("pack", sorted(path.stem for path in (ROOT / "rules").glob("*.yaml")))
@pytest.mark.parametrize("kind", ["clean", "violating"])
def test_every_pack_has_a_clean_and_a_violating_capture(pack: str, kind: str) -> None:
    (sample,) = [sample for sample in SAMPLES if sample.name == f"{pack}-{kind}"]
    assert sample.expected["verdict"] == ("clean" if kind == "clean" else "violations")
    vendors = {finding.get("vendor") for finding in sample.expected["findings"]}
    assert (pack in vendors) == (kind == "violating")


@pytest.mark.parametrize("check", ids("auditor.checks"))
def test_every_check_has_captures_where_it_fires_and_where_it_nearly_does(check: str) -> None:
    fires = [sample.name for sample in SAMPLES if check in sample.sidecar["fires"]]
    silent = [sample.name for sample in SAMPLES if check in sample.sidecar["near_miss"]]
    assert fires, f"no capture makes {check} fire"
    assert silent, f"no capture nearly makes {check} fire"


@each_sample
def test_sidecar_names_what_it_expects(sample: Sample) -> None:
    known = set(ids("auditor.checks"))
    expected = {finding["check"] for finding in sample.expected["findings"]}
    assert set(sample.sidecar["fires"]) == expected
    assert expected | set(sample.sidecar["near_miss"]) <= known


@each_sample
def test_audit_finds_exactly_what_the_sidecar_expects(sample: Sample) -> None:
    code, report = audited(sample.capture, *sample.options())
    assert differences(sample.expected["findings"], report["findings"]) == []
    assert (code, report["verdict"]) == (sample.expected["exit"], sample.expected["verdict"])


@pytest.mark.parametrize("sample", [s for s in SAMPLES if "coverage" in s.expected], ids=lambda sample: sample.name)
def test_audit_covers_the_statements_that_the_sidecar_names(sample: Sample) -> None:
    _, report = audited(sample.capture, *sample.options())
    status = {(entry["vendor"], entry["statement"]): entry["status"] for entry in report["coverage"]}
    expected = {
        (vendor, statement): value
        for vendor, statements in sample.expected["coverage"].items()
        for statement, value in statements.items()
    }
    assert {key: status.get(key) for key in expected} == expected


@pytest.mark.parametrize("sample", [s for s in SAMPLES if "traffic" in s.expected], ids=lambda sample: sample.name)
def test_audit_counts_the_traffic_that_the_sidecar_names(sample: Sample) -> None:
    _, report = audited(sample.capture, *sample.options())
    counted = {role: counts for role, counts in report["traffic"].items() if counts["packets"]}
    assert counted == sample.expected["traffic"]


@pytest.mark.parametrize("sample", [s for s in SAMPLES if "sessions" in s.expected], ids=lambda sample: sample.name)
def test_audit_tells_the_sessions_that_the_sidecar_names(sample: Sample) -> None:
    _, report = audited(sample.capture, *sample.options())
    told = [
        {key: session[key] for key in wanted}
        for wanted, session in zip(sample.expected["sessions"], report["sessions"], strict=False)
    ]
    assert told == sample.expected["sessions"]
    assert len(report["sessions"]) == len(told)


def test_every_statement_is_judged_in_some_capture() -> None:
    """A statement that stands in a pack without ever being judged would be a promise that nobody keeps."""
    judged = {
        (entry["vendor"], entry["statement"])
        for sample in SAMPLES
        for entry in audited(sample.capture, *sample.options())[1]["coverage"]
        if entry["status"] in JUDGED
    }
    published = {
        (path.stem, statement["id"])
        for path in (ROOT / "rules").glob("*.yaml")
        for statement in yaml.safe_load(path.read_text())["statements"]
    }
    assert published - judged == set()


@each_sample
def test_evidence_names_frames_of_the_capture(sample: Sample) -> None:
    _, report = audited(sample.capture, *sample.options())
    for finding in report["findings"]:
        assert finding["evidence"]
        for evidence in finding["evidence"]:
            assert Path(evidence["capture"]).name in sample.names
            if evidence["frame"] is None:  # the capture as a whole
                assert finding["client_ip"] is None
            else:
                assert 1 <= evidence["frame"] <= sample.names[Path(evidence["capture"]).name]


def test_generator_makes_the_stored_captures_again() -> None:
    done = generate("--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_generator_knows_every_stored_capture() -> None:
    listed = {line.split()[1] for line in generate("--list").stdout.splitlines()}
    assert listed == {sample.capture.relative_to(CAPTURES).as_posix() for sample in SAMPLES}


@pytest.mark.skipif(bool(what_the_lab_lacks()), reason=what_the_lab_lacks() or "nothing is missing")
@pytest.mark.parametrize("name", LAB_SAMPLES)
def test_capture_made_anew_by_real_programs_gives_the_same_findings(name: str, tmp_path: Path) -> None:
    (sample,) = [sample for sample in SAMPLES if sample.name == name]
    done = generate(sample.capture.relative_to(CAPTURES).as_posix(), "--output", str(tmp_path))
    assert done.returncode == 0, done.stderr
    fresh = tmp_path / sample.capture.relative_to(CAPTURES)
    assert fresh.read_bytes() != sample.capture.read_bytes()
    code, report = audited(fresh, *sample.options())
    assert differences(sample.expected["findings"], report["findings"]) == []
    assert code == sample.expected["exit"]
