"""A traffic auditor: captures, read against what online-backup vendors publish about their traffic.

    import auditor

    result = auditor.audit("monday.pcapng", site="site.yaml")
    result.verdict, result.findings, result.coverage

What is listed in `__all__` is public and stays; everything else is the inside and may change.
"""

from __future__ import annotations

# Type checkers take it for true wherever it comes from. What is imported before the engine reads (see
# `auditor.cli._headstart`) does not import it from typing, which takes 4 ms.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from auditor._engine import __version__
    from auditor.comparison import Comparison, compare
    from auditor.errors import AuditorError, CaptureError, RulePackError, SiteError
    from auditor.finding import Finding
    from auditor.pipeline import audit
    from auditor.result import Audit
    from auditor.rulepack import RulePack, load_pack, shipped_packs
    from auditor.severity import Severity
    from auditor.site import Site, load_site

__all__ = [
    "Audit",
    "AuditorError",
    "CaptureError",
    "Comparison",
    "Finding",
    "RulePack",
    "RulePackError",
    "Severity",
    "Site",
    "SiteError",
    "__version__",
    "audit",
    "compare",
    "load_pack",
    "load_site",
    "shipped_packs",
]

# Where each public name lives. They are imported when asked for: the command line starts in a few milliseconds and
# pays for what it uses.
_HOMES = {
    "Audit": "result",
    "AuditorError": "errors",
    "CaptureError": "errors",
    "Comparison": "comparison",
    "Finding": "finding",
    "RulePack": "rulepack",
    "RulePackError": "errors",
    "Severity": "severity",
    "Site": "site",
    "SiteError": "errors",
    "__version__": "_engine",
    "audit": "pipeline",
    "compare": "comparison",
    "load_pack": "rulepack",
    "load_site": "site",
    "shipped_packs": "rulepack",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
