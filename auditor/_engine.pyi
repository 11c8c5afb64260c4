"""The native core, private to the package: packets to flows, flows to columns and CSV."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, final

__version__: str
LIMITS: dict[str, int]

class _Reader(Protocol):
    """A source of bytes: b"" at its end, an exception where it breaks off."""

    def read(self, size: int, /) -> bytes: ...

@final
class Interest:
    """Which flows the caller wants: either end in a range of 128-bit numbers, or TCP with one of the ports."""

    def __new__(cls, *, networks: Sequence[tuple[int, int]], ports: Sequence[int]) -> Interest: ...

@final
class Wishes:
    """What is to be read of payloads: conversations by the server's TCP port (kinds `ftp`, `socks`, `http-connect`,
    `tls`, `dns-tcp`, `unknown`), samples of TCP payload with these networks, answers for these host names."""

    def __new__(
        cls,
        *,
        conversations: Sequence[tuple[int, str]] = ...,
        samples: Sequence[tuple[int, int]] = ...,
        names: Sequence[str] = ...,
    ) -> Wishes: ...

@final
class Labels:
    """What classification says of a batch's wanted flows; the columns are little-endian u16, u16, u8, u8, u8."""

    def __new__(
        cls,
        *,
        vendors: Sequence[str],
        services: Sequence[str],
        roles: Sequence[str],
        role_bases: Sequence[str],
        vendor: bytes,
        service: bytes,
        role: bytes,
        role_basis: bytes,
        client: bytes,
    ) -> Labels: ...

@final
class Batch:
    """Flows that have ended, sorted by capture and first frame."""

    @property
    def rows(self) -> int: ...
    @property
    def wanted(self) -> int: ...
    def columns(self, *, fingerprints: bool = False) -> dict[str, bytes]: ...
    def write_csv(self, path: str | None, *, captures: Sequence[str], labels: Labels, header: bool = False) -> None: ...

@final
class Scan:
    """A scan over captures; `captures`, `totals`, `port_scans` and `quotes` are whole after the last batch."""

    def next_batch(self) -> Batch | None: ...
    def progress(self) -> tuple[int, int]: ...
    def is_promising(self) -> bool: ...
    def cancel(self) -> None: ...
    @property
    def captures(self) -> list[dict[str, Any]]: ...
    @property
    def totals(self) -> dict[str, int]: ...
    @property
    def port_scans(self) -> list[tuple[int, int]]: ...
    @property
    def quotes(self) -> dict[str, bytes]: ...
    @property
    def processes(self) -> list[str]: ...
    @property
    def events(self) -> dict[str, Any]: ...
    @property
    def samples(self) -> dict[str, bytes]: ...

def scan(
    paths: Sequence[str],
    *,
    readers: Mapping[str, _Reader] | None = None,
    interest: Interest | None = None,
    wishes: Wishes | None = None,
    keep_all: bool = True,
    port_scans: bool = True,
    fingerprints: bool = False,
    validate_checksums: bool = False,
    keep_duplicates: bool = False,
    vlan: str = "auto",
    active_flows: int | None = None,
    decode_depth: int | None = None,
    threads: int = 1,
) -> Scan: ...
def give_back_memory() -> None: ...
def extract(
    paths: Sequence[str],
    output: str,
    *,
    flows: Sequence[tuple[int, int, int, int, int, int, int, int, int]] = ...,
    frames: Sequence[tuple[str, int, Sequence[str]]] = ...,
    anchor: str | None = None,
    end_anchor: str | None = None,
    headers_only: bool = False,
    anonymise: tuple[bytes, Sequence[tuple[int, int]], Sequence[tuple[int, int]]] | None = None,
    numbered: bool = False,
    comment: str = ...,
    program: str = ...,
) -> dict[str, int]:
    """Copy frames into a new pcapng.

    `flows`: protocol, IP version, address and port of the initiator and of the responder, first and last time, packets
    at most. `frames`: path, number, comments. `anonymise`: key, ranges that stay, prefixes that stay.
    `numbered`: each frame has its number and its capture as a comment.
    """

@final
class Tick:
    """What came since the last tick, and the counters so far. `columns` has first the flows that have `ended`."""

    def columns(self) -> dict[str, bytes]: ...
    @property
    def rows(self) -> int: ...
    @property
    def ended(self) -> int: ...
    @property
    def now_ns(self) -> int: ...
    @property
    def last(self) -> bool: ...
    @property
    def captures(self) -> list[dict[str, Any]]: ...
    @property
    def sources(self) -> list[dict[str, Any]]: ...
    @property
    def totals(self) -> dict[str, int]: ...
    @property
    def port_scans(self) -> list[tuple[int, int]]: ...
    @property
    def processes(self) -> list[str]: ...
    @property
    def events(self) -> dict[str, Any]: ...
    @property
    def samples(self) -> dict[str, bytes]: ...
    @property
    def quotes(self) -> dict[str, bytes]: ...

@final
class Watching:
    """A watch that runs in a thread of its own."""

    def next_tick(self, wait: float) -> Tick | None: ...
    def take_feeds(self) -> list[int]: ...
    def aim(
        self,
        *,
        networks: Sequence[tuple[int, int]] | None,
        ports: Sequence[int],
        wishes: Wishes | None,
        kernel_filter: bool,
    ) -> None: ...
    def stop(self) -> None: ...

def watch(
    interfaces: Sequence[str],
    *,
    feeds: Sequence[str],
    streams: Sequence[str],
    tick: float,
    ring_bytes: int,
    room: Mapping[str, int],
    networks: Sequence[tuple[int, int]] | None,
    ports: Sequence[int],
    wishes: Wishes | None,
    kernel_filter: bool,
    keep_duplicates: bool = False,
    vlan: str = "auto",
    evidence: tuple[str, int, float, int] | None = None,
) -> Watching: ...
def extract_evidence(
    folder: str, wishes: Sequence[tuple[str, str, Sequence[tuple[int, tuple[int, int]]]]], limit: int
) -> tuple[list[int | None], tuple[int, int]]: ...
def give_up_privileges(*, writes_anywhere: bool, captures: bool) -> None: ...
def format_addresses(version: bytes, hi: bytes, lo: bytes) -> list[str]: ...
def format_tunnel(code: int) -> str: ...
def format_community_ids(digests: bytes) -> list[str]: ...
def protocol_name(number: int) -> str: ...
