"""The sample captures and their sidecars, for every test that wants them; and what an audit says of one."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
CAPTURES = ROOT / "captures"
SITES = CAPTURES / "sites"
AUDIT_SECONDS = 60  # far more than any sample needs


@dataclass(frozen=True)
class Sample:
    """One capture with its sidecar."""

    capture: Path
    sidecar: dict[str, Any]

    @property
    def name(self) -> str:
        """Path below `captures/`, without the suffix."""
        return self.capture.relative_to(CAPTURES).with_suffix("").as_posix()

    @property
    def names(self) -> dict[str, int]:
        """File names of the captures that are audited, and how many frames each has."""
        found = {self.capture.name: int(self.sidecar["frames"])}
        if outside := self.sidecar.get("outside"):
            path = CAPTURES / outside
            found[path.name] = int(yaml.safe_load(path.with_suffix(".yaml").read_text())["frames"])
        return found

    @property
    def expected(self) -> dict[str, Any]:
        """What the audit must say."""
        expected: dict[str, Any] = self.sidecar["expect"]
        return expected

    def options(self) -> list[str]:
        """Options of `auditor audit` that the sidecar asks for."""
        options = [part for pack in self.sidecar.get("packs", ()) for part in ("--pack", pack)]
        if site := self.sidecar.get("site"):
            options += ["--site", str(CAPTURES / site)]
        if processes := self.sidecar.get("processes"):
            options += ["--processes", str(CAPTURES / processes)]
        if outside := self.sidecar.get("outside"):
            options += ["--outside", str(CAPTURES / outside)]
        if day := self.sidecar.get("as_of"):
            options += ["--as-of", str(day)]
        return options


def samples() -> list[Sample]:
    """All samples, by name: one for each sidecar below `captures/`."""
    return [Sample(_capture(path), yaml.safe_load(path.read_text())) for path in sorted(sidecars())]


def sidecars() -> list[Path]:
    """Every YAML file below `captures/` but the sites."""
    return [path for path in CAPTURES.rglob("*.yaml") if SITES not in path.parents]


def _capture(sidecar: Path) -> Path:
    """The capture of that sidecar. Raises: ValueError unless there is exactly one."""
    beside = [path for path in sidecar.parent.glob(f"{sidecar.stem}.*") if path != sidecar]
    if len(beside) != 1:
        raise ValueError(f"{sidecar}: expected one capture of that name beside it, there are {len(beside)}")
    return beside[0]


@cache
def audited(capture: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON report of `auditor audit`, run as a program of its own."""
    vantage = ["--inside"] if "--outside" in options else []
    command = [sys.executable, "-m", "auditor", "audit", *vantage, str(capture), *options, "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=AUDIT_SECONDS, cwd=ROOT, check=False)
    if done.returncode not in (0, 1, 3):
        raise AssertionError(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr}")
    return done.returncode, json.loads(done.stdout)


def differences(expected: list[dict[str, Any]], found: list[dict[str, Any]]) -> list[str]:
    """Findings that are expected and missing, and findings that nobody expects. Fields that an expectation does not
    name are free."""
    left = list(found)
    missing = []
    for wanted in expected:
        match = next((one for one in left if all(one.get(key) == value for key, value in wanted.items())), None)
        if match is None:
            missing.append(f"missing: {_line(wanted)}")
        else:
            left.remove(match)
    return missing + [f"not expected: {_line(one)}" for one in left]


_SHOWN = ["check", "severity", "vendor", "client_ip", "server_ip", "service_port"]
_SHOWN += ["protocol", "direction", "outcome", "count", "certainty"]


def _line(finding: dict[str, Any]) -> str:
    return " ".join(f"{key}={finding[key]}" for key in _SHOWN if key in finding)
