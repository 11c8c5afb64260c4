from __future__ import annotations

import os
from pathlib import Path

import pytest

from auditor.errors import AuditorError
from auditor.monitor.evidence import RING, EvidenceFolder

HOUR_NS = 3600 * 10**9


def ended(evidence: EvidenceFolder, number: int, size: int) -> Path:
    part = evidence.begin(1_772_400_000 * 10**9 + number * HOUR_NS)
    (part / RING).mkdir()
    (part / RING / "1.segment").write_bytes(b"x" * 5000)
    (part / "udp-use-1.pcapng").write_bytes(b"x" * size)
    evidence.end(part)
    return part


def test_of_a_part_that_has_ended_its_findings_packets_are_kept(tmp_path: Path) -> None:
    part = ended(EvidenceFolder(str(tmp_path / "e"), size=10_000, keep=3600), 1, 100)
    assert [path.name for path in part.iterdir()] == ["udp-use-1.pcapng"]


def test_the_oldest_parts_make_way(tmp_path: Path) -> None:
    evidence = EvidenceFolder(str(tmp_path / "e"), size=10_000, keep=3600)
    parts = [ended(evidence, number, 2000) for number in range(4)]
    assert [part.exists() for part in parts] == [False, False, True, True]


def test_old_parts_and_empty_ones_go_and_the_one_under_way_stays(tmp_path: Path) -> None:
    evidence = EvidenceFolder(str(tmp_path / "e"), size=10_000, keep=3600)
    old, new, empty = ended(evidence, 1, 10), ended(evidence, 2, 10), evidence.begin(1_772_500_000 * 10**9)
    running = evidence.begin(1_772_600_000 * 10**9)
    (running / RING).mkdir()
    os.utime(old, (0, 0))
    evidence.prune()
    assert [part.exists() for part in (old, new, empty, running)] == [False, True, False, True]


def test_two_watches_do_not_share_a_folder(tmp_path: Path) -> None:
    first = EvidenceFolder(str(tmp_path / "e"), size=10_000, keep=3600)
    ring = first.begin(1_772_600_000 * 10**9) / RING
    ring.mkdir()
    with pytest.raises(AuditorError, match=r"e: another watch keeps its evidence there"):
        EvidenceFolder(str(tmp_path / "e"), size=10_000, keep=3600)
    assert ring.exists()
    first.close()
    EvidenceFolder(str(tmp_path / "e"), size=10_000, keep=3600).close()
    assert not ring.exists(), "of a process that was killed"


def test_a_place_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "e").write_text("")
    with pytest.raises(AuditorError, match=r"e: no place for evidence: File exists"):
        EvidenceFolder(str(tmp_path / "e"), size=10_000, keep=3600)
