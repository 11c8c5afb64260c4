"""`monitor.yaml`: what a watch that runs by itself is to do.

Relative paths start from the folder of the file. Every key has an effect; one that would have none is refused.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from auditor import sinks
from auditor.errors import MonitorError
from auditor.hostport import HostAndPort, HostPort
from auditor.quantities import Period, Size
from auditor.scalars import DOCUMENT, Count, Flag, Kinds, Name, Scalar, Shorthand, Text
from auditor.secret import Secret, without_password
from auditor.severity import Severity
from auditor.sinks.base import Common, Place
from auditor.windows import AnyWindow, WeeklyWindow, Window

DEFAULT_WINDOW: Final = WeeklyWindow(start="00:00", end="24:00", timezone="UTC")
"""Without windows each day is one: a report and a coverage that speak of months say nothing of a night."""
DEFAULT_LISTEN: Final = HostPort("127.0.0.1", 9477)
STREAM: Final = "-"
"""The interface that is a capture on standard input."""
SENSOR_PATTERN: Final = r"[A-Za-z0-9._-]{1,64}"


def read_store_url(text: str) -> str:
    """A database's URL; a path alone means SQLite. ValueError, without a password in it, if it is none."""
    without_password(text)
    scheme, separator, rest = text.partition("://")
    if not separator:
        return f"sqlite:///{text}"
    if scheme not in ("sqlite", "postgresql") or not rest or (scheme == "sqlite" and not rest.startswith("/")):
        raise ValueError(f"{scheme}:// is no store; expected a path, sqlite:///PATH or postgresql://USER@HOST/DATABASE")
    return text


def _kinds() -> Mapping[str, type]:
    return {kind: sinks.settings_of(kind) for kind in sinks.kinds()}


StoreUrl: TypeAlias = Annotated[str, Scalar(read_store_url, {"type": "string"})]
AnySink: TypeAlias = Annotated[Common, Kinds("kind", _kinds)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowFolder:
    """The vendors' flows as Parquet, one folder a day: `date=2027-01-31/…`."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    folder: Text
    keep: Period = 30 * 86_400
    """Days older than this go."""
    size: Size = 10 << 30
    """The oldest days go when the folder is larger; the newest is never larger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Where findings, sessions, capture health and coverage are kept."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    url: StoreUrl = "sqlite:///auditor.db"
    """A path or `sqlite:///PATH`; or `postgresql://USER@HOST/DATABASE`, its password apart."""
    password: Secret | None = None
    """Of PostgreSQL's user."""
    keep: Period = 90 * 86_400
    """What is older goes; of sensors that share a PostgreSQL, this one's."""
    size: Size = 2 << 30
    """The oldest goes when the store is larger, or in PostgreSQL what this sensor has there. What finds no room even
    then is lost, counted and told."""
    flows: FlowFolder | None = None

    @property
    def sqlite(self) -> bool:
        return self.url.startswith("sqlite:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Numbers for Prometheus, over HTTP."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    listen: HostAndPort = DEFAULT_LISTEN
    """On loopback unless said otherwise: nobody has to show a password there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowEnd:
    """What is done when a window ends."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    reports: tuple[Text, ...] = ()
    """Files to write, in the format that the suffix names; `{start}` and `{end}` become the window's."""
    tell: tuple[Name, ...] = ()
    """Names of sinks that get the summary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The first packets of each flow that could concern a vendor, of which those of findings are kept."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    folder: Text
    size: Size = 2 << 30
    """Of all of it: half for what is being watched, half for the findings of ended windows."""
    keep: Period = 30 * 86_400
    """Evidence of older windows goes."""
    flow: Size = 64 << 10
    """Of one flow; data channels are long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Hard caps of memory; what finds no room is counted and told. Without a value, the watch's own hold."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    active_flows: Count | None = None
    """Flows that are alive at once."""
    window_flows: Count | None = None
    """Flows that are judged together."""
    known_findings: Count | None = None
    known_sessions: Count | None = None
    ring: Size | None = None
    """Of each interface: packets that wait to be read."""
    memory: Size | None = None
    """Of all that the process takes. All limits, those of no key as well, become as small as that needs, and the keys
    beside this one make theirs smaller still. One that is too small to work with is refused."""


PlainMetrics: TypeAlias = Annotated[Metrics | None, Shorthand()]
SeverityName: TypeAlias = Literal["info", "low", "medium", "high", "critical"]


def _read_sensor(text: str) -> str:
    import re

    if not re.fullmatch(SENSOR_PATTERN, text):
        raise ValueError(f"{text!r} is no name; expected letters, digits, dots, hyphens and underscores, at most 64")
    return text


Sensor: TypeAlias = Annotated[str, Scalar(_read_sensor, {"type": "string", "pattern": f"^{SENSOR_PATTERN}$"})]


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """What a watch that runs by itself is to do."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    interfaces: tuple[Text, ...]
    packs: tuple[Text, ...] = ()
    """Ids or files; none: those of the site, or all."""
    site: Text | None = None
    """The site's file."""
    sensor: Sensor = field(default_factory=socket.gethostname)
    """How this capture point is called."""
    windows: tuple[AnyWindow, ...] = ()
    """Parts of time with a coverage and a report of their own; between them it is watched as well. None: each day."""
    window_end: WindowEnd | None = None
    fail_on: SeverityName = "medium"
    """The severity from which on a report's verdict is `violations`."""
    allow_incomplete: Flag = False
    source: Literal["auto", "kernel", "scapy"] = "auto"
    """Who reads interfaces: `kernel`, by a ring (Linux), or `scapy`, anywhere, slower and without a count of drops."""
    kernel_filter: Flag = False
    """Let the kernel turn away what concerns nobody; it is then not counted as `other`."""
    keep_duplicates: Flag = False
    """Count packets that a mirror port delivered twice as two."""
    vlan: Literal["auto", "ignore", "strict"] = "auto"
    """Join the VLANs of a flow: `auto` joins and says so, `ignore` joins, `strict` keeps them apart."""
    store: Annotated[StoreSettings | None, Shorthand()] = None
    sinks: tuple[AnySink, ...] = ()
    evidence: Evidence | None = None
    metrics: PlainMetrics = None
    limits: Limits | None = None
    status: Text | None = None
    """The file that `auditor status` reads; without one, in the folder of the service manager or of the user."""

    @property
    def all_windows(self) -> tuple[Window, ...]:
        return self.windows or (DEFAULT_WINDOW,)

    @property
    def streams(self) -> tuple[str, ...]:
        """Those of the interfaces that are captures, on a pipe or in a file."""
        return tuple(name for name in self.interfaces if name == STREAM or _is_capture(name))

    @property
    def severity(self) -> Severity:
        return Severity[self.fail_on.upper()]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration and the file that it came from."""

    monitor: Monitor
    file: str

    @property
    def place(self) -> Place:
        return Place(os.path.dirname(os.path.abspath(self.file)), self.monitor.sensor)

    def path(self, path: str) -> str:
        """A path of the configuration."""
        return self.place.path(path)

    @property
    def packs(self) -> list[str]:
        """The rule packs as ids and paths."""
        return [self.path(pack) if is_file_name(pack) else pack for pack in self.monitor.packs]

    @property
    def site(self) -> str | None:
        return None if self.monitor.site is None else self.path(self.monitor.site)

    @property
    def store_url(self) -> str | None:
        """The store's URL, with the whole path where it is a file."""
        store = self.monitor.store
        if store is None or not store.sqlite:
            return None if store is None else store.url
        return f"sqlite:///{self.path(store.url.removeprefix('sqlite:///'))}"

    @property
    def status(self) -> str:
        return self.path(self.monitor.status) if self.monitor.status else default_status(self.monitor.sensor)


def _is_capture(path: str) -> bool:
    return os.path.exists(path) and not os.path.isdir(path)


def _with_paths(monitor: Monitor, folder: str) -> Monitor:
    """With captures as paths from here: the file names them from its own folder."""
    found = [os.path.join(folder, name) for name in monitor.interfaces]
    names = zip(monitor.interfaces, found, strict=True)
    return replace(
        monitor, interfaces=tuple(path if name != STREAM and _is_capture(path) else name for name, path in names)
    )


def is_file_name(pack: str) -> bool:
    """Whether a pack is named by its file, as `auditor audit --pack` takes it."""
    return "/" in pack or pack.endswith((".yaml", ".yml"))


def default_status(sensor: str) -> str:
    """Where the status is, unless something else is said: where a service, or a user's program, keeps such things."""
    for variable, further in (("RUNTIME_DIRECTORY", ""), ("XDG_RUNTIME_DIR", "auditor"), ("XDG_STATE_HOME", "auditor")):
        if folder := os.environ.get(variable, "").split(":")[0]:
            return os.path.join(folder, further, f"{sensor}.status.json")
    if os.path.isdir("/run/auditor"):
        return f"/run/auditor/{sensor}.status.json"
    return os.path.expanduser(f"~/.local/state/auditor/{sensor}.status.json")


def load_monitor(path: str | Path) -> Loaded:
    """The configuration in a YAML file. Raises: MonitorError with every error of the file."""
    from auditor.documentfile import read_bytes
    from auditor.validation.monitor import validate_monitor

    monitor = validate_monitor(read_bytes(path, MonitorError), str(path))
    return Loaded(_with_paths(monitor, os.path.dirname(path)), str(path))
