"""A watch that is fed a file says what `audit` says of that file, whatever the ticks cut it into."""

from __future__ import annotations

from typing import Any

import pytest

import auditor
from auditor.rulepack import enable
from auditor.site import load_site
from auditor.watch import Event, Options, Watch
from tests.samples import CAPTURES, Sample, samples

FEW_PACKETS, EVERYTHING = 0.003, 60.0  # seconds of capture time between two ticks


def replayed(sample: Sample, tick: float) -> tuple[dict[str, Any], list[Event]]:
    """The report of a watch over a sample, and its events."""
    chosen = sample.sidecar.get("packs", [])
    site = load_site(CAPTURES / sample.sidecar["site"], chosen) if "site" in sample.sidecar else None
    events: list[Event] = []
    watch = Watch(
        [str(sample.capture)],
        enable(site, chosen),
        site,
        Options(tick=tick, health_interval=3600),
        publish=events.append,
    )
    watch.run()
    return watch.report().to_dict(), events


def audited(sample: Sample) -> dict[str, Any]:
    site = CAPTURES / sample.sidecar["site"] if "site" in sample.sidecar else None
    return auditor.audit(sample.capture, site=site, packs=sample.sidecar.get("packs", ())).to_dict()


ONE_VANTAGE = [sample for sample in samples() if not {"outside", "processes", "as_of"} & sample.sidecar.keys()]


@pytest.mark.parametrize("sample", ONE_VANTAGE, ids=lambda sample: sample.name)
def test_a_replayed_file_and_its_audit_give_the_same_report(sample: Sample) -> None:
    report, events = replayed(sample, FEW_PACKETS)
    assert report == audited(sample)
    opened = [event["id"] for event in events if event["event"] == "opened"]
    assert sorted(opened) == sorted(finding["id"] for finding in report["findings"]), "each is told once"
    assert [event["check"] for event in events if event.get("withdrawn")] == []


@pytest.mark.parametrize("sample", ONE_VANTAGE[:4], ids=lambda sample: sample.name)
def test_a_file_in_one_tick_gives_the_same_report(sample: Sample) -> None:
    assert replayed(sample, EVERYTHING)[0] == audited(sample)
