"""Floods: twice as much is twice the work, whatever there is so much of."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from counting import counting
from program import ROOT

import auditor
from auditor.site import load_site

COUNT = 300
WORST = 2.4
"""Times the work for twice as much: sorting makes it a bit more than two, and a loop within a loop nearly four."""
NOT_JUDGED = {"pieces"}
"""One flow of a thousand pieces, which are joined before anything is judged."""


def _floods() -> ModuleType:
    spec = importlib.util.spec_from_file_location("floods", ROOT / "benchmarks" / "floods.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["floods"] = module
    spec.loader.exec_module(module)
    return module


floods = _floods()


def work(kind: str, count: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """What an audit of such a flood does."""
    capture, site = folder / f"{kind}-{count}.pcap", folder / "site.yaml"
    with capture.open("wb") as stream:
        floods.write(kind, count, stream)
    site.write_text(floods.SITE)
    given = load_site(site, [])
    with counting(monkeypatch) as done:
        auditor.audit(capture, site=given)
        return done()


@pytest.mark.parametrize("kind", sorted(set(floods.FLOODS) - NOT_JUDGED))
def test_twice_the_flood_is_twice_the_work(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work(kind, 2, tmp_path, monkeypatch)  # what is done once for all
    nothing = work(kind, 2, tmp_path, monkeypatch)
    once, twice = (work(kind, count, tmp_path, monkeypatch) - nothing for count in (COUNT, 2 * COUNT))
    assert once > 100 * COUNT, "it was judged"
    assert twice < WORST * once, (kind, once, twice, twice / once)
