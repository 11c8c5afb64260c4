"""Captures by URL, from a server on loopback that the test starts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import auditor
from auditor.errors import CaptureError
from auditor.scan import ScanOptions, open_scan
from auditor.sources import resolve, url

SAMPLE = Path(__file__).parents[2] / "captures" / "drbackup-violating.pcapng"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content = SAMPLE.read_bytes()
        if self.path.endswith("/missing.pcap"):
            self.send_error(404)
            return
        if self.path.endswith("/elsewhere.pcap"):
            self.send_response(302)
            self.send_header("Location", "file:///etc/hostname")
            self.end_headers()
            return
        if self.path.endswith("/silent.pcap"):
            time.sleep(1)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        # The last block of the file is whole, so that only the length tells what is missing.
        self.wfile.write(content[: len(content) // 2] if self.path.endswith("/broken.pcap") else content)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


def scanned(*words: str) -> list[dict[str, Any]]:
    scan = open_scan(resolve(words), ScanOptions())
    while scan.next_batch() is not None:
        pass
    return scan.captures


def test_a_capture_on_a_server_is_audited_like_a_file(server: str) -> None:
    there, here = auditor.audit(f"{server}/a.pcapng"), auditor.audit(SAMPLE)
    assert there.verdict == here.verdict == "violations"
    assert list(there.findings["id"]) == list(here.findings["id"])
    assert there.health.captures[0]["path"] == f"{server}/a.pcapng"


def test_a_file_url_is_the_file(tmp_path: Path) -> None:
    spaced = tmp_path / "a capture.pcapng"
    spaced.write_bytes(SAMPLE.read_bytes())
    assert resolve([spaced.as_uri()]) == [str(spaced)]
    assert resolve([f"file://localhost{SAMPLE}"]) == [str(SAMPLE)]


def test_a_transfer_that_breaks_off_is_never_taken_for_the_whole(server: str) -> None:
    (capture,) = scanned(f"{server}/broken.pcap")
    assert capture["packets"] > 0
    assert not capture["complete"]
    size = SAMPLE.stat().st_size
    assert any(f"the server sent {size // 2} of {size} bytes" in problem["message"] for problem in capture["problems"])


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("missing.pcap", "cannot be read: the server answered 404 Not Found"),
        ("elsewhere.pcap", "cannot be read: the server"),
    ],
)
def test_what_a_server_refuses_is_said_and_the_others_go_on(server: str, path: str, said: str) -> None:
    bad, good = sorted(scanned(f"{server}/{path}", str(SAMPLE)), key=lambda capture: capture["packets"])
    assert said in bad["error"]
    assert good["error"] is None
    with pytest.raises(CaptureError, match=said):
        auditor.audit(f"{server}/{path}")


def test_a_server_that_falls_silent_is_given_up(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(url, "SILENCE_AT_MOST", 0.2)
    (capture,) = scanned(f"{server}/silent.pcap")
    assert "sent nothing for 0 s" in capture["error"]


def test_a_server_that_is_not_there_is_named() -> None:
    (capture,) = scanned("http://127.0.0.1:9/a.pcap")
    assert "cannot be read: the server cannot be asked: Connection refused" in capture["error"]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("http:///a.pcap", "names no server"),
        ("http://[::1/a.pcap", "is no URL"),
        ("https://a..b/a.pcap", "names no server"),
        ("http://127.0.0.1:9/a b.pcap", "is no URL: it holds what is not ASCII, or a blank"),
        ("http://127.0.0.1:9/ü.pcap", "is no URL: it holds what is not ASCII, or a blank"),
        ("file://elsewhere/a.pcap", "is a file of another machine"),
        ("file:///no/such.pcap", "there is no such file"),
        ("file:///tmp", "is a folder"),
    ],
)
def test_a_url_that_cannot_be_meant_is_refused(word: str, said: str) -> None:
    with pytest.raises(CaptureError, match=said):
        resolve([word])


def test_a_secret_in_a_url_is_neither_sent_nor_repeated() -> None:
    with pytest.raises(CaptureError) as refused:
        resolve(["https://user:hunter2@captures.example/a.pcap"])
    assert "hunter2" not in str(refused.value)
