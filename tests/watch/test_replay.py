"""A watch that is fed a file says what `audit` says of that file, whatever the ticks cut it into."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

import auditor
from auditor.request import Request
from auditor.rulepack import enable
from auditor.site import load_site
from auditor.watch import Event, Options, Watch
from tests.samples import CAPTURES, Sample, samples

FEW_PACKETS, EVERYTHING = 0.003, 60.0  # seconds of capture time between two ticks


def replayed(sample: Sample, tick: float, **options: Any) -> tuple[dict[str, Any], list[Event]]:
    """The report of a watch over a sample, and its events."""
    chosen = sample.sidecar.get("packs", [])
    file = site_of(sample)
    site = None if file is None else load_site(file, chosen)
    events: list[Event] = []
    watch = Watch(
        [str(sample.capture)],
        enable(site, chosen),
        site,
        Options(tick=tick, health_interval=3600, **options),
        request=Request(packs=tuple(chosen), site=file),
        publish=events.append,
    )
    watch.run()
    return watch.report().to_dict(), events


def audited(sample: Sample, day: str, **options: Any) -> dict[str, Any]:
    """The report of its audit, as of that day: a watch judges as of the day of what it sees."""
    packs = sample.sidecar.get("packs", ())
    day_given = date.fromisoformat(day)
    return auditor.audit(sample.capture, site=site_of(sample), packs=packs, as_of=day_given, **options).to_dict()


def site_of(sample: Sample) -> str | None:
    return str(CAPTURES / sample.sidecar["site"]) if "site" in sample.sidecar else None


def day_of(report: dict[str, Any]) -> str:
    day: str = report["manifest"]["options"]["as_of"]
    end = report["captures"][-1]["end"]
    assert end is None or end.startswith(day)
    return day


ONE_VANTAGE = [sample for sample in samples() if not {"outside", "processes", "as_of"} & sample.sidecar.keys()]


@pytest.mark.parametrize("sample", ONE_VANTAGE, ids=lambda sample: sample.name)
def test_a_replayed_file_and_its_audit_give_the_same_report(sample: Sample) -> None:
    report, events = replayed(sample, FEW_PACKETS)
    assert report == audited(sample, day_of(report))
    opened = [event["id"] for event in events if event["event"] == "opened"]
    assert sorted(opened) == sorted(finding["id"] for finding in report["findings"]), "each is told once"
    assert [event["check"] for event in events if event.get("withdrawn")] == []


@pytest.mark.parametrize("sample", ONE_VANTAGE[:4], ids=lambda sample: sample.name)
def test_a_file_in_one_tick_gives_the_same_report(sample: Sample) -> None:
    report, _ = replayed(sample, EVERYTHING)
    assert report == audited(sample, day_of(report))


@pytest.mark.parametrize("options", [{"keep_duplicates": True}, {"vlan": "strict"}, {"vlan": "ignore"}], ids=str)
def test_copies_and_vlans_are_taken_as_an_audit_is_told_to_take_them(options: dict[str, Any]) -> None:
    (sample,) = (one for one in ONE_VANTAGE if one.name.endswith("vlan-span-duplicates"))
    report, _ = replayed(sample, FEW_PACKETS, **options)
    assert report == audited(sample, day_of(report), **options)
    assert report["manifest"]["options"].items() >= options.items()
    assert ("duplicate-packets" in str(report["captures"])) == ("keep_duplicates" not in options)
