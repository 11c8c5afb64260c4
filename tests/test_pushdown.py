"""With and without push-down the findings are the same: what the engine drops early concerns no check."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samples import CAPTURES, Sample, samples
from scapy.utils import PcapReader, wrpcap

import auditor

MIXED_AT_MOST = 4  # sample captures in one mix
MIXES = 12
# Ethernet, one point of view, packs only: what can be put into one file
MIXABLE = [one for one in samples() if one.capture.suffix == ".pcap" and not one.options() and one.sidecar["frames"]]


def findings(paths: list[Path], sample: Sample | None, *, all_flows: bool) -> list[dict[str, object]]:
    """The findings in full, as the report has them."""
    options = dict(zip(*[iter(sample.options())] * 2, strict=True)) if sample else {}
    outside = options.get("--outside", ())
    found = auditor.audit(
        () if outside else paths,
        inside=paths if outside else (),
        outside=outside,
        packs=sample.sidecar.get("packs", ()) if sample else (),
        site=options.get("--site"),
        processes=options.get("--processes"),
        all_flows=all_flows,
    )
    return [finding.to_dict() for finding in found.judged.findings]


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_findings_of_every_sample_are_the_same_with_all_flows(sample: Sample) -> None:
    assert findings([sample.capture], sample, all_flows=False) == findings([sample.capture], sample, all_flows=True)


@cache
def frames(capture: Path) -> list[object]:
    with PcapReader(str(capture)) as reader:
        return list(reader)


@settings(max_examples=MIXES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    chosen=st.lists(st.sampled_from(MIXABLE), min_size=2, max_size=MIXED_AT_MOST, unique_by=lambda one: one.name),
    seed=st.integers(0, 2**16),
)
def test_findings_of_random_mixes_are_the_same_with_all_flows(
    chosen: list[Sample], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Captures laid over each other, each begun at a time of its own, a tenth of the frames lost."""
    chance = random.Random(seed)
    mixed = []
    for one in chosen:
        shift = chance.uniform(0, 400)
        for frame in frames(one.capture):
            if chance.random() > 0.1:
                copy = frame.copy()  # type: ignore[attr-defined]  # scapy's packets have no types
                copy.time = frame.time + shift  # type: ignore[attr-defined]
                mixed.append(copy)
    mixed.sort(key=lambda frame: frame.time)
    path = tmp_path_factory.mktemp("mix") / "mix.pcap"
    wrpcap(str(path), mixed)
    assert findings([path], None, all_flows=False) == findings([path], None, all_flows=True)


def test_there_is_something_to_mix() -> None:
    assert len(MIXABLE) >= 2 * MIXED_AT_MOST
    assert CAPTURES.is_dir()
