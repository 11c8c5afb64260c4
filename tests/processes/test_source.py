import json
from pathlib import Path

import pytest

from auditor.errors import AuditorError
from auditor.processes import source
from auditor.processes.source import load_processes

SOCKET = 'ESTAB 0 0 10.0.0.5:40000 66.241.7.9:21 users:(("curl",pid=811,fd=5))\n'
CSV = "UtcTime,Image,Protocol,SourceIp,SourcePort,DestinationIp,DestinationPort\n"
ROW = "2026-03-02 21:00:01.250,curl,tcp,10.0.0.5,40000,66.241.7.9,21\n"
EVENT = json.dumps(dict(zip(CSV.strip().split(","), ROW.strip().split(","), strict=True)))


@pytest.mark.parametrize("text", [SOCKET, CSV + ROW, EVENT, f"[{EVENT}]", f"\n {EVENT}"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_format_is_told_by_its_content(tmp_path: Path, text: str, encoding: str) -> None:
    file = tmp_path / "processes"
    file.write_bytes(text.encode(encoding))
    (found,) = load_processes(file)
    assert (found.program, found.local_port, found.remote_port) == ("curl", 40000, 21)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is of no known format"),
        (b"hello", "is of no known format"),
        (b"\xff\xfe\x00", "is no text at byte"),
        (b"\x80", "is no text at byte 0"),
        (b"{}", "names the program of no connection"),
        (b"State Recv-Q\n", "names the program of no connection"),
        (b"{", "line 1: is no JSON"),
        (b'State\nusers:(("a",pid=1,fd=2))\n', "line 2: "),
        (CSV.encode() + b'"' + b"x" * 200_000, "line 2: is no CSV"),
    ],
)
def test_file_that_tells_nothing_is_refused_with_its_name(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "processes"
    file.write_bytes(content)
    with pytest.raises(AuditorError, match=reason) as raised:
        load_processes(file)
    assert str(raised.value).startswith(str(file))


def test_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    for path, reason in [(tmp_path, "is a directory"), (tmp_path / "none", "No such file"), ("a\0b", "cannot be read")]:
        with pytest.raises(AuditorError, match=reason):
            load_processes(path)


def test_file_beyond_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "processes"
    file.write_text(SOCKET)
    monkeypatch.setattr(source, "MAX_BYTES", len(SOCKET))
    assert load_processes(file)
    monkeypatch.setattr(source, "MAX_BYTES", len(SOCKET) - 1)
    with pytest.raises(AuditorError, match="is larger than"):
        load_processes(file)
