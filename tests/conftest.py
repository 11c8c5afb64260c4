"""What all tests share: with AUDITOR_NO_SKIP=1, as in CI, a test that would be skipped fails."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest
from scapy.layers import l2

NO_SKIP = os.environ.get("AUDITOR_NO_SKIP") == "1"


def _refuse_to_ask(*layers: object) -> None:
    raise AssertionError(f"{layers}: scapy would ask the network for a MAC address; expected one in the test")


l2.conf.neighbor.resolve = _refuse_to_ask


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if NO_SKIP and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which AUDITOR_NO_SKIP=1 forbids: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    """Tests that skip themselves."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    """Whole files that are skipped."""
    report = yield
    _refuse_skip(report)
    return report
