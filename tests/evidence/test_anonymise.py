"""Anonymised captures tell nobody who it was, and say the same."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from program import CAPTURES, VIOLATING, run

from auditor.evidence.extraction import SAME
from auditor.pipeline import audit

PUBLISHED = [ip_address("66.241.7.1") + n for n in range(30)] + [ip_address("96.231.233.4")]
VENDORS = ("backup-direct", "connected-backup", "drbackup", "online-backup-service", "securidata")


def addresses(capture: Path) -> set[str]:
    command = ["tshark", "-n", "-r", str(capture), "-T", "fields", "-e", "ip.src", "-e", "ip.dst", "-E", "occurrence=f"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.split())


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("anonymised") / "x.pcapng"
    done = run("extract", VIOLATING, "--anonymise", "-o", path)
    assert done.returncode == 0, done.stderr
    return path


def test_published_addresses_stay_and_all_others_change(copy: Path) -> None:
    before, after = addresses(VIOLATING), addresses(copy)
    published = {str(address) for address in PUBLISHED}
    assert before & published >= after & published
    assert after & published
    assert "10.1.2.3" not in after
    inside = [address for address in after if ip_address(address) in ip_network("10.0.0.0/8")]
    assert len(inside) == 1


def test_no_original_address_stands_anywhere_in_the_file(copy: Path) -> None:
    content = copy.read_bytes()
    assert b"10.1.2.3" not in content
    assert bytes([10, 1, 2, 3]) not in content
    assert str(VIOLATING).encode() not in content


def test_checksums_fit_the_new_addresses(copy: Path) -> None:
    checked = ["-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
    command = ["tshark", "-n", "-r", str(copy), *checked, "-T", "fields", "-e", "ip.checksum.status"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert set(done.stdout.split()) == {"1"}  # good


def test_transport_checksums_are_as_right_as_they_were(tmp_path: Path) -> None:
    whole = tmp_path / "x.pcapng"
    capture = CAPTURES / "checks" / "udp-use-fires.pcap"
    done = run("extract", capture, "--anonymise", "--keep-payload", "-o", whole)
    assert done.returncode == 0, done.stderr
    checked = ["-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
    fields = ["-e", "tcp.checksum.status", "-e", "udp.checksum.status"]
    command = ["tshark", "-n", "-r", str(whole), *checked, "-T", "fields", *fields]
    done_tshark = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert set(done_tshark.stdout.split()) == {"1"}


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_audit_says_the_same_of_it(vendor: str, tmp_path: Path) -> None:
    capture, copy = CAPTURES / f"{vendor}-violating.pcapng", tmp_path / "x.pcapng"
    site = ["--site", str(CAPTURES / "sites/securidata.yaml")] if vendor == "securidata" else []
    hosts = ["--keep", "10.0.0.0/8"] if site else []  # the site lists its backup hosts by address
    done = run("extract", capture, *site, *hosts, "--anonymise", "--keep-payload", "-o", copy)
    before, after = (
        json.loads(run("audit", path, *site, "--format", "json").stdout)["findings"] for path in (capture, copy)
    )
    counts = [Counter(str([one[key] for key in SAME]) for one in some if one["flow_ids"]) for some in (before, after)]
    assert counts[0] == counts[1]
    assert (done.returncode, done.stderr) == (0, "")


def test_findings_that_rest_on_a_host_of_the_site_are_lost_and_named(tmp_path: Path) -> None:
    capture = CAPTURES / "checks/destination-outside-published-fires-dedicated.pcap"
    site, copy = CAPTURES / "sites/dedicated-host.yaml", tmp_path / "x.pcapng"
    done = run("extract", capture, "--site", site, "--anonymise", "-o", copy)
    assert done.returncode == 3
    assert "not in the copy: destination-outside-published" in done.stderr
    assert run("extract", capture, "--site", site, "--anonymise", "--keep", "10.1.0.0/16", "-o", copy).returncode == 0


def test_one_key_maps_alike_and_another_otherwise(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("5c" * 32)
    found = []
    for name, words in (("a", ("--key", key)), ("b", ("--key", key)), ("c", ())):
        copy = tmp_path / f"{name}.pcapng"
        assert run("extract", VIOLATING, "--anonymise", *words, "-o", copy).returncode == 0
        found.append(copy.read_bytes())
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_a_network_can_be_kept(tmp_path: Path) -> None:
    copy = tmp_path / "x.pcapng"
    assert run("extract", VIOLATING, "--anonymise", "--keep", "10.1.2.0/24", "-o", copy).returncode == 0
    assert "10.1.2.3" in addresses(copy)
    found = [one for one in audit(copy).to_dict()["findings"] if one["check"] != "capture-incomplete"]  # payload is cut
    assert [one["id"] for one in found] == [one["id"] for one in audit(VIOLATING).to_dict()["findings"]]


@pytest.mark.parametrize("content", ["", "zz" * 32, "5c" * 31])
def test_what_is_no_key_is_refused(content: str, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(content)
    done = run("extract", VIOLATING, "--anonymise", "--key", key, "-o", tmp_path / "x.pcapng")
    assert done.returncode == 2
    assert "is no key" in done.stderr
