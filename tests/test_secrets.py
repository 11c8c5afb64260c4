"""No password or user name that a capture shows in the clear stands in any output, however it is asked for."""

from __future__ import annotations

import base64
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import program
import pytest
from samples import CAPTURES, Sample, samples

from auditor import reports
from auditor.flowformats import FORMATS as FLOW_FORMATS

PLANTED = [sample for sample in samples() if "secrets" in sample.sidecar]
EXIT_CODES = (0, 1, 3)  # a report was made

each_planted = pytest.mark.parametrize("sample", PLANTED, ids=lambda sample: sample.name)


def spellings(secrets: list[str]) -> Iterator[bytes]:
    """Every form in which a planted user or password might slip out."""
    for secret in secrets:
        raw = secret.encode()
        yield raw
        yield quote(secret, safe="").encode()
        yield raw.hex().encode()
        yield raw.hex().upper().encode()
        yield raw.hex(":").encode()
        # Base64 of the secret amid other text, at each of the three offsets; the outer characters depend on neighbours.
        for offset in range(3):
            coded = base64.b64encode(bytes(offset) + raw)
            yield coded[4 if offset else 0 : -4]


def assert_free_of(secrets: list[str], text: bytes, where: str) -> None:
    """No spelling of a secret is in the text."""
    found = sorted({spelling for spelling in spellings(secrets) if spelling in text})
    assert not found, f"{where} shows {found}"


def outputs(sample: Sample, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every output that a user can ask for, and what the terminal shows beside it: files of all formats that there are,
    stories of findings, what a watch tells its sinks and its store, and copies of packets that promise no payload."""
    audit = ("audit", *sample.options(), "--all-flows")
    yield from written(sample, folder, audit, reports.suffixes())
    yield from written(sample, folder, ("flows",), {name: format.suffixes for name, format in FLOW_FORMATS.items()})
    yield from stories(sample, folder)
    yield from watched(sample, folder)
    if sample.expected["findings"]:
        yield from copied(sample, folder)


def written(
    sample: Sample, folder: Path, command: tuple[str, ...], formats: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, bytes]]:
    """One run of the command that writes a file of each format."""
    files = {format: folder / f"{command[0]}{suffixes[0]}" for format, suffixes in formats.items()}
    done = program.run(*command, sample.capture, *(part for file in files.values() for part in ("-o", file)))
    assert done.returncode in EXIT_CODES, done.stderr
    yield f"{command[0]}: terminal", (done.stdout + done.stderr).encode()
    for format, file in files.items():
        yield f"{command[0]} as {format}", file.read_bytes()


def stories(sample: Sample, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Each finding told packet by packet."""
    report = folder / f"audit{reports.suffixes()['json'][0]}"
    for finding in json.loads(report.read_text())["findings"]:
        done = program.run("explain", finding["id"], sample.capture, "--report", report)
        assert done.returncode == 0, done.stderr
        yield f"explain {finding['check']}", (done.stdout + done.stderr).encode()


def watched(sample: Sample, folder: Path) -> Iterator[tuple[str, bytes]]:
    """The events, which are all that sinks are given, and the store."""
    store = folder / "store.db"
    done = program.run("watch", "-i", sample.capture, *sample.options(), "--store", store, "-o", folder / "watch.json")
    assert done.returncode in EXIT_CODES, done.stderr
    assert done.stdout.count('"event":"opened"') >= len(sample.expected["findings"])
    yield "watch: events", (done.stdout + done.stderr).encode()
    for file in folder.glob("store.db*"):
        yield f"watch: {file.name}", file.read_bytes()


def copied(sample: Sample, folder: Path) -> Iterator[tuple[str, bytes]]:
    """A bundle of the findings' packets without payload."""
    bundle = folder / "copy.zip"
    for option in ("--headers-only", "--anonymise"):
        done = program.run("extract", sample.capture, *sample.options(), option, "-o", bundle)
        assert done.returncode in EXIT_CODES, done.stderr
        yield f"extract {option}: terminal", (done.stdout + done.stderr).encode()
        with zipfile.ZipFile(bundle) as files:
            for name in files.namelist():
                yield f"extract {option}: {name}", files.read(name)


def test_secrets_are_planted_in_every_protocol_that_shows_them() -> None:
    planted = {secret for sample in PLANTED for secret in sample.sidecar["secrets"]}
    assert {"planted-ftp-secret", "planted-proxy-secret"} <= planted
    shown = {
        finding["service_port"]
        for sample in PLANTED
        for finding in sample.expected["findings"]
        if finding["check"] == "cleartext-credentials"
    }
    assert {21, 1080, 8080} <= shown


def test_a_capture_that_shows_a_login_says_so_in_its_sidecar() -> None:
    marks = (b"planted-", base64.b64encode(b"night-shift:planted-"))
    showing = {
        path.relative_to(CAPTURES).with_suffix("").as_posix()
        for path in CAPTURES.rglob("*.pcap*")
        if any(mark in path.read_bytes() for mark in marks)
    }
    assert showing == {sample.name for sample in PLANTED}


@each_planted
def test_secrets_of_the_sidecar_are_in_the_capture(sample: Sample) -> None:
    data = sample.capture.read_bytes()
    assert [secret for secret in sample.sidecar["secrets"] if secret.encode() not in data] == []


@each_planted
def test_no_output_shows_a_secret(sample: Sample, tmp_path: Path) -> None:
    for where, text in outputs(sample, tmp_path):
        assert_free_of(sample.sidecar["secrets"], text, where)


@pytest.mark.parametrize(
    "text",
    [
        b'"PASS planted-ftp-secret"',
        b"706c616e7465642d6674702d736563726574",
        base64.b64encode(b"night-shift:planted-ftp-secret"),
        base64.b64encode(b"x:planted-ftp-secret:y"),
        base64.b64encode(b"PASS planted-ftp-secret"),
    ],
)
def test_a_secret_is_recognised_in_its_disguises(text: bytes) -> None:
    with pytest.raises(AssertionError, match="shows"):
        assert_free_of(["planted-ftp-secret"], text, "the text")
