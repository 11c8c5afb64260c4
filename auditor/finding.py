"""A finding: what one check objects to between one client and one server, with the evidence for it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from auditor.formats import time_text
from auditor.frozen import frozen
from auditor.hashing import sha256_hex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.severity import Outcome, Severity
    from auditor.site import Waiver

ID_DIGITS = 16  # hexadecimal: 64 bits keep a million findings apart


@frozen
class Evidence:
    """A frame to look at. `frame` counts from 1 within the file; 0: the capture as a whole."""

    capture: str
    frame: int
    time_ns: int | None  # None: not known

    def to_dict(self) -> dict[str, Any]:
        return {
            "capture": self.capture,
            "frame": self.frame or None,
            "timestamp": None if self.time_ns is None else time_text(self.time_ns),
        }


@frozen
class AppliedWaiver:
    """The site's waiver that speaks of a finding. An expired one is shown and waives nothing."""

    waiver: Waiver
    expired: bool

    def to_dict(self) -> dict[str, Any]:
        from auditor.records import plain

        ends = {"client": _text(self.waiver.client), "server": _text(self.waiver.server)}
        return {**plain(self.waiver), **ends, "expired": self.expired}


@frozen
class Finding:
    """One row of the report's findings; fields as there. Raises: ValueError without evidence."""

    id: str
    check: str
    severity: Severity
    certain: bool
    vendor: str  # "" for findings that concern no vendor
    statement: str | None
    statements: tuple[str, ...]  # all that are concerned; `statement` is the first that the vendor's pack has
    title: str
    message: str
    direction: str | None
    outcome: Outcome
    client_ip: str | None
    client_ports: tuple[int, ...]
    server_ip: str | None
    server_port: int | None
    service_port: int | None
    via: str | None
    protocol: str | None
    count: int
    first_ns: int | None  # None: no packet shows it
    last_ns: int | None
    flow_ids: Sequence[str]
    evidence: Sequence[Evidence]
    display_filter: str
    remediation: str
    waiver: AppliedWaiver | None = None

    def __post_init__(self) -> None:
        if not self.evidence:
            raise ValueError(f"finding of {self.check} without evidence")

    @property
    def vendors(self) -> tuple[str, ...]:
        """Ids of the packs that it may concern; several where the port alone does not tell."""
        return tuple(self.vendor.split("|")) if self.vendor else ()

    @property
    def waived(self) -> bool:
        return self.waiver is not None and not self.waiver.expired

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "check": self.check,
            "severity": self.severity.word,
            "certainty": "certain" if self.certain else "inferred",
            "vendor": self.vendor,
            "statement": self.statement,
            "title": self.title,
            "message": self.message,
            "direction": self.direction,
            "outcome": self.outcome.word,
            "client_ip": self.client_ip,
            "client_ports": list(self.client_ports),
            "server_ip": self.server_ip,
            "server_port": self.server_port,
            "service_port": self.service_port,
            "via": self.via,
            "protocol": self.protocol,
            "count": self.count,
            "first_seen": None if self.first_ns is None else time_text(self.first_ns),
            "last_seen": None if self.last_ns is None else time_text(self.last_ns),
            "flow_ids": list(self.flow_ids),
            "evidence": [item.to_dict() for item in self.evidence],
            "display_filter": self.display_filter,
            "remediation": self.remediation,
            "waiver": None if self.waiver is None else self.waiver.to_dict(),
        }


@frozen
class Unlisted:
    """Findings of one check beyond the number that is listed. Nobody looked for waivers of them."""

    check: str
    count: int
    worst: Severity


def finding_id(*key: object) -> str:
    """Stable id of the finding with this grouping key: the same in every run, whatever the capture is called."""
    text = "\x1f".join(["" if part is None else str(part) for part in key])
    return sha256_hex(text.encode())[:ID_DIGITS]


def applied_waiver(finding: Finding, waivers: tuple[Waiver, ...], as_of: date) -> AppliedWaiver | None:
    """The first waiver that speaks of the finding and still holds, else the first expired one."""
    matching = [AppliedWaiver(waiver, waiver.expired(as_of)) for waiver in waivers if waiver.matches(finding)]
    return next((applied for applied in matching if not applied.expired), matching[0] if matching else None)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
