"""Rule packs: what each vendor publishes, as data.

A pack is one YAML file in `rules/`. `python -m auditor.generate` checks the shipped ones and stores them ready to use,
with the hash of each file; a file that is new or has changed since is read and checked again when it is loaded. So
adding a vendor is adding a file, and the packs as shipped cost no YAML and no validator.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, TypeAlias

from auditor.addresses import AddressRange, AddressSet, Ranges
from auditor.errors import AuditorError, RulePackError
from auditor.frozen import field, frozen
from auditor.ports import Port, Ports
from auditor.scalars import DOCUMENT, Count, Day, Flag, Name, Text

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.site import Site

RULES: Final = os.path.join(os.path.dirname(__file__), "rules")
SITE_GROUP: Final = "site"
"""The network group that holds what the site adds to a pack's networks. No pack may call a group so."""
BULK_BYTES: Final = 16384
"""Payload that makes a session on a shared port `data`, where the pack says nothing else (contract, roles)."""

ServiceRole: TypeAlias = Literal["control", "data", "volume", "registration", "gui", "support"]
Forbidden: TypeAlias = Literal["udp", "icmp", "other-protocols", "inbound", "active-mode-ftp"]


@frozen
class Source:
    """Where the vendor published it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    document: Text
    """Title of the document."""
    section: Text = ""
    """The part that speaks of the firewall, where the document is about more."""


@frozen
class Service:
    """Something that the vendor's servers, or the customer's clients, listen for."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    id: Name
    role: ServiceRole
    """Role of its flows. `volume`: one port carries both, and the payload tells control from data (`bulk_bytes`)."""
    ports: tuple[Ports, ...]
    """Ports of the end that listens."""
    direction: Literal["outbound", "inbound", "both"] = "outbound"
    """Who opens the connection, seen from inside."""
    protocols: tuple[Literal["tcp", "udp"], ...] = ("tcp",)
    networks: tuple[Name, ...] = ()
    """Groups of networks where it is found; none named: all of the pack, and those that the site adds."""
    feature: Name | None = None
    """The optional feature that it belongs to: published only where the site turned that on."""
    signature: Flag = False
    """The port alone tells the vendor: it is this pack's on any outside address."""
    negotiated_by: Name | None = None
    """The role (of another service here) whose sessions assign the ports in use, as FTP's passive mode does."""
    statement: Name | None = None
    """The statement that publishes it."""


@frozen
class Returns:
    """Answers that a packet filter without memory has to let in."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    client_ports: Ports
    established_only: Flag = True
    """Only packets of connections that the client opened."""


@frozen
class Encryption:
    """What is published to be encrypted."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    payload: Flag
    """The backup data."""
    control: Flag
    """The commands and logins of the control session."""
    algorithms: tuple[Text, ...] = ()


@frozen
class Proxies:
    """Ways out through a proxy that the vendor describes."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    socks: Flag = False
    socks_default_port: Port | None = None
    """Only where the document names one."""
    mapped: Flag = False
    """A port of the firewall for each server address."""


@frozen
class Statement:
    """One thing that the vendor publishes, in our words."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    id: Name
    what: Text
    section: Text
    """The part of the document that says it."""
    checked_by: tuple[Name, ...]
    """Checks that judge it; files of `auditor/judges`; or `classification`, `coverage`, `export`, `session-summary`."""


@frozen
class RulePack:
    """What one vendor publishes."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    id: Name
    title: Text
    version: Text
    """Of this description; a new one for every change."""
    source: Source
    services: tuple[Service, ...]
    statements: tuple[Statement, ...]
    networks: dict[Name, Ranges] = field(default_factory=dict)
    """Groups of the vendor's networks. Groups are apart where a client has to reach each of them."""
    valid_from: Day | None = None
    valid_until: Day | None = None
    hostnames: tuple[Text, ...] = ()
    needs_dns: Flag = True
    """False where the vendor says that its clients resolve no names."""
    returns: Returns | None = None
    forbids: tuple[Forbidden, ...] = ()
    """What the document rules out in so many words."""
    encryption: Encryption | None = None
    proxies: Proxies | None = None
    programs: tuple[Text, ...] = ()
    """File names of all programs that use the network; none: not published."""
    bulk_bytes: Count = BULK_BYTES
    """Payload bytes in one direction from which on a session with role `volume` counts as `data`."""

    def statement(self, *ids: str) -> Statement | None:
        """The first of the statements `ids` that this pack has."""
        known = {statement.id: statement for statement in self.statements}
        return next((known[wanted] for wanted in ids if wanted in known), None)

    @property
    def features(self) -> tuple[str, ...]:
        """Features that a site may turn on, sorted."""
        return tuple(sorted({service.feature for service in self.services if service.feature is not None}))

    @property
    def published(self) -> tuple[AddressRange, ...]:
        """All networks of all groups."""
        return tuple(item for group in self.networks.values() for item in group)


@frozen
class EnabledPack:
    """A pack that this audit uses, with what the site says of it."""

    pack: RulePack
    networks: dict[str, tuple[AddressRange, ...]]
    """The pack's groups; and under SITE_GROUP what the site added, if anything."""
    registration_servers: tuple[AddressRange, ...]
    features: dict[str, tuple[AddressRange, ...]]
    """Features that the site turned on, and the networks that may open them."""

    @property
    def id(self) -> str:
        return self.pack.id


def shipped_files() -> list[str]:
    """The files of the `rules` folder, sorted by name."""
    return [os.path.join(RULES, name) for name in sorted(os.listdir(RULES)) if name.endswith(".yaml")]


def shipped_packs() -> list[RulePack]:
    """The packs of the `rules` folder, sorted by id.

    Raises: RulePackError for a file that is no valid pack, or two with one id.
    """
    packs: dict[str, RulePack] = {}
    files: dict[str, str] = {}
    for path in shipped_files():
        pack = load_pack(path)
        if pack.id in packs:
            raise RulePackError(
                [f"{path}: id: {pack.id!r} is the id of {files[pack.id]} as well; expected one of its own"]
            )
        packs[pack.id], files[pack.id] = pack, path
    return [packs[name] for name in sorted(packs)]


def load_pack(path: str | Path) -> RulePack:
    """The pack in a YAML file; checked here, unless just this text is among those checked before.

    Raises: RulePackError with every error of the file.
    """
    from auditor.compiled import compiled_pack
    from auditor.documentfile import read_bytes

    content = read_bytes(path, RulePackError)
    pack = compiled_pack(content)
    if pack is None:
        from auditor.validation.pack import validate_pack

        pack = validate_pack(content, str(path))
    return pack


def find_pack(name_or_path: str) -> RulePack:
    """A shipped pack by its id, or the pack in a file (a name with a folder or with .yaml or .yml behind it).

    Raises: RulePackError for a file that is no valid pack; AuditorError for an unknown id.
    """
    if "/" in name_or_path or name_or_path.endswith((".yaml", ".yml")):
        return load_pack(name_or_path)
    packs = {pack.id: pack for pack in shipped_packs()}
    if name_or_path not in packs:
        from auditor.words import did_you_mean

        raise AuditorError(
            f"no rule pack {name_or_path!r}{did_you_mean(name_or_path, packs)}",
            help=f"packs: {', '.join(packs)}; or name a pack's file",
        )
    return packs[name_or_path]


def choose_packs(site: Site | None, chosen: Sequence[str]) -> tuple[RulePack, ...]:
    """The packs that an audit uses, sorted by id: the `chosen`; else those that the site lists; else all shipped."""
    names = chosen or (tuple(site.packs) if site is not None else ())
    packs = [find_pack(name) for name in dict.fromkeys(names)] if names else shipped_packs()
    by_id = {pack.id: pack for pack in packs}
    for pack in packs:
        if by_id[pack.id] != pack:
            raise AuditorError(f"two different rule packs are called {pack.id!r}; choose one of them")
    return tuple(by_id[name] for name in sorted(by_id))


def enable(site: Site | None, chosen: Sequence[str] = ()) -> tuple[EnabledPack, ...]:
    """The packs that an audit uses (see `choose_packs`), with what the site adds to each.

    Raises: AuditorError for unknown packs; RulePackError; SiteError where site and packs do not go together.
    """
    from auditor.site import Site
    from auditor.site_rules import require_consistent

    site = site or Site()
    enabled = tuple(enabled_pack(pack, site) for pack in choose_packs(site, chosen))
    require_consistent(site, enabled)
    return enabled


def enabled_pack(pack: RulePack, site: Site) -> EnabledPack:
    """`pack` with what `site` adds to it."""
    options = site.packs.get(pack.id)
    if options is None:
        return EnabledPack(pack, pack.networks, (), {})
    # Registration servers are the vendor's, whether or not they are listed a second time as networks.
    known = AddressSet(pack.published + options.networks)
    added = options.networks + tuple(item for item in options.registration_servers if not known.overlaps(item))
    networks = pack.networks | ({SITE_GROUP: added} if added else {})
    features = {name: feature.networks for name, feature in options.features.items()}
    return EnabledPack(pack, networks, options.registration_servers, features)
