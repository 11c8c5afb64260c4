"""Options of the commands that tell what changes."""

from typing import Annotated, TypeAlias

from auditor.cli._option import Option

FORMATS = ("table", "json")
SEVERITIES = ("info", "low", "medium", "high", "critical")

FailOn: TypeAlias = Annotated[
    str, Option("From which severity on findings decide; default: medium.", "SEVERITY", SEVERITIES)
]
Format: TypeAlias = Annotated[str | None, Option(f"Output format: {', '.join(FORMATS)}.", "FORMAT", FORMATS)]
Output: TypeAlias = Annotated[
    tuple[str, ...], Option("Write there; the suffix names the format. May be repeated.", "FILE", short="-o")
]
