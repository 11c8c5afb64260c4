"""The site: what the customer's side looks like, and what its owner expects there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, Protocol, TypeAlias

from auditor.addresses import AddressRange, Range, Ranges, parse_address, parse_range
from auditor.errors import SiteError
from auditor.frozen import field, frozen
from auditor.ports import Port, parse_port
from auditor.scalars import DOCUMENT, Count, Day, Flag, Name, Scalar, Shorthand, Text
from auditor.windows import AnyWindow

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_INSIDE: Final = tuple(
    parse_range(text)
    for text in (
        "10.0.0.0/8",  # RFC 1918, with the next two
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",  # RFC 6598
        "169.254.0.0/16",  # link-local: RFC 3927, RFC 4291
        "fe80::/10",
        "fc00::/7",  # RFC 4193
        "127.0.0.0/8",  # loopback: RFC 1122, RFC 4291
        "::1",
    )
)
"""Inside, where the site does not say."""


@frozen
class Feature:
    """An optional feature of a vendor, turned on."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    networks: Ranges
    """Who may open it; not part of the pack's networks."""


@frozen
class PackOptions:
    """What the site adds to a rule pack."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    networks: Ranges = ()
    """The vendor's networks where the pack has none, or further ones."""
    registration_servers: Ranges = ()
    features: dict[Name, Feature] = field(default_factory=dict)
    valid_from: Day | None = None
    """The first day on which the pack's addresses are known to hold; none: as the pack says."""
    valid_until: Day | None = None
    """The last one: announced by the vendor, or confirmed. None: as the pack says."""


@frozen
class BackupHost:
    """A host, or several, that back up here."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    address: Range
    dedicated: Flag = False
    """It does nothing else."""

    @property
    def range(self) -> AddressRange:
        return self.address


@frozen
class Proxy:
    """A proxy that vendor traffic may go through."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    kind: Literal["socks", "http"]
    address: Range
    port: Port
    required: Flag = False
    """Vendor traffic may take no other way."""


@frozen
class Endpoint:
    """An address and a port."""

    address: int
    port: int
    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def range(self) -> AddressRange:
        """The address alone."""
        return AddressRange(self.address, self.address, self.text.rpartition(":")[0].strip("[]"))


def read_endpoint(text: str) -> Endpoint:
    """An endpoint from `10.0.0.9:9001` or `[2001:db8::9]:9001`."""
    address, colon, port = text.rpartition(":")
    if not colon:
        raise ValueError(f"{text!r} has no port; expected address:port")
    return Endpoint(parse_address(address.removeprefix("[").removesuffix("]")), parse_port(port), text)


@frozen
class Thresholds:
    """Numbers that checks go by, with the values that hold where a site gives none."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    midstream_grace: Count = 300
    """Seconds after the capture's start in which a session may have begun before it."""
    control_close_grace: Count = 60
    """Seconds after the close of a control session in which its last data may still arrive."""
    answer_wait: Count = 1
    """Seconds that an unanswered attempt has to be over when the capture ends: a client asks again after as long."""
    restore_bytes: Count = 16384
    """Payload bytes from server to client from which on a data flow may be a restore; fewer are lists and replies."""


class Waivable(Protocol):
    """What a waiver looks at in a finding."""

    @property
    def check(self) -> str: ...
    @property
    def vendor(self) -> str | None: ...
    @property
    def client_ip(self) -> str | None: ...
    @property
    def server_ip(self) -> str | None: ...


@frozen
class Waiver:
    """A finding that the owner of the site accepts for a time. What it does not name, it does not ask for."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    check: Name
    reason: Text
    expires: Day
    """The last day on which it holds."""
    vendor: Text | None = None
    """A pack's id; where a finding may concern several packs, all of them joined by `|`."""
    client: Range | None = None
    server: Range | None = None
    owner: Text = ""
    ticket: Text = ""

    def matches(self, finding: Waivable) -> bool:
        """Whether it speaks of this finding, expired or not."""
        return (
            finding.check == self.check
            and (self.vendor is None or self._names(finding.vendor))
            and _within(self.client, finding.client_ip)
            and _within(self.server, finding.server_ip)
        )

    def expired(self, as_of: date) -> bool:
        """Whether it holds no longer on the day `as_of`."""
        return as_of > self.expires

    def _names(self, vendor: str | None) -> bool:
        # A finding that may concern another vendor as well is not accepted by a waiver for one of them.
        return bool(vendor) and set((vendor or "").split("|")) <= set((self.vendor or "").split("|"))


def _within(wanted: AddressRange | None, address: str | None) -> bool:
    if wanted is None:
        return True
    try:
        return bool(address) and parse_address(address or "") in wanted
    except ValueError:  # a proxy's target may be a name
        return False


Options: TypeAlias = Annotated[PackOptions, Shorthand()]
Host: TypeAlias = Annotated[BackupHost, Shorthand("address", {"type": "string"})]
MappedPort: TypeAlias = Annotated[Endpoint, Scalar(read_endpoint, {"type": "string"})]


@frozen
class Site:
    """One site. Without a site file, `Site()` holds: nothing known but what inside means."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    inside: Ranges = DEFAULT_INSIDE
    """The inside, as the capture shows it: with `vantage` outside the `nat` addresses belong to it."""
    vantage: Literal["inside", "outside"] = "inside"
    """The side of the firewall on which the capture was taken."""
    nat: Ranges = ()
    """Addresses that the inside has outside of the firewall."""
    packs: dict[Name, Options] = field(default_factory=dict)
    backup_hosts: tuple[Host, ...] = ()
    allowed: Ranges = ()
    """Further destinations of dedicated hosts."""
    resolvers: Ranges = ()
    proxies: tuple[Proxy, ...] = ()
    mapped_proxies: dict[MappedPort, Range] = field(default_factory=dict)
    """Ports of the firewall, each with the one server address that it leads to."""
    explicit_return_rules: Flag = False
    """The firewall does not remember connections: it has rules for the answers."""
    windows: tuple[AnyWindow, ...] = ()
    """When backups are expected."""
    thresholds: Thresholds = Thresholds()
    waivers: tuple[Waiver, ...] = ()

    def __post_init__(self) -> None:
        if self.vantage == "outside":
            further = tuple(item for item in self.nat if item not in self.inside)
            object.__setattr__(self, "inside", self.inside + further)

    def describe(self) -> dict[str, Any]:
        """The site as plain JSON values, for reports."""
        from auditor.records import plain

        description: dict[str, Any] = plain(self, shown=(AddressRange, Endpoint))
        return description


def load_site(path: str | Path, chosen: Sequence[str] = ()) -> Site:
    """The site in a YAML file. `chosen` are the rule packs named beside it (see `rulepack.choose_packs`).

    Raises: SiteError with every error of the file, those against the packs among them; AuditorError for unknown packs.
    """
    from auditor.documentfile import read_bytes
    from auditor.validation.site import validate_site

    return validate_site(read_bytes(path, SiteError), str(path), chosen)
