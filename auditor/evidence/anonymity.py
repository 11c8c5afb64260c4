"""Which addresses an anonymised capture keeps.

What a vendor publishes stays, or nobody could tell whose traffic it is. Of private and other special networks the
prefix stays, so that the inside is still the inside. Everything else changes, prefix by prefix.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, summarize_address_range
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from auditor.addresses import MAPPED_FIRST, MAPPED_LAST, AddressRange, intervals, parse_range
from auditor.errors import AuditorError

if TYPE_CHECKING:
    from auditor.rulepack import EnabledPack
    from auditor.site import Site

KEY_BYTES = 32
# Addresses that name no host: this network, loopback, groups, reserved, broadcast.
NOBODY = ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "::/127", "ff00::/8")
# Networks that anybody may use: private (RFC 1918, RFC 4193), shared (RFC 6598), link-local.
ANYBODY = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7", "fe80::/10")


class Anonymity(NamedTuple):
    """How addresses change: always alike for one key."""

    key: bytes
    whole: tuple[tuple[int, int], ...]  # ranges of 128-bit numbers whose addresses stay
    prefixes: tuple[tuple[int, int], ...]  # prefixes that stay while what is inside them changes


def anonymity(packs: Sequence[EnabledPack], site: Site, *, keep: Sequence[str] = (), key: bytes = b"") -> Anonymity:
    """The mapping for these packs at this site. `keep`: further networks that stay; no `key`: a new one.

    Raises: AuditorError for what is no network, or a key of the wrong length.
    """
    if key and len(key) != KEY_BYTES:
        raise AuditorError(f"the key has {len(key)} bytes; expected {KEY_BYTES}")
    published = [item for pack in packs for group in pack.networks.values() for item in group]
    published += [item for pack in packs for networks in pack.features.values() for item in networks]
    kept = [_range(text) for text in keep]
    whole = intervals([*published, *kept, *map(parse_range, NOBODY)])
    inside = intervals([*site.inside, *map(parse_range, ANYBODY)])
    prefixes = [prefix for interval in inside for prefix in _prefixes(*interval)]
    return Anonymity(key or os.urandom(KEY_BYTES), tuple(whole), tuple(prefixes))


def read_key(path: str) -> bytes:
    """A key from a file of 32 bytes, or of 64 hexadecimal digits. Raises: AuditorError."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise AuditorError(f"{path}: {error.strerror}") from None
    if len(content) == KEY_BYTES:
        return content
    try:
        key = bytes.fromhex(content.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise AuditorError(f"{path}: is no key; expected {KEY_BYTES} bytes, or {2 * KEY_BYTES} hexadecimal digits")
    return key


def _range(text: str) -> AddressRange:
    try:
        return parse_range(text)
    except ValueError as error:
        raise AuditorError(f"--keep {text}: {error}", help="expected a network, e.g. --keep 203.0.113.0/28") from None


def _prefixes(first: int, last: int) -> list[tuple[int, int]]:
    """A range as whole prefixes."""
    if first >= MAPPED_FIRST and last <= MAPPED_LAST:
        low, high = IPv4Address(first - MAPPED_FIRST), IPv4Address(last - MAPPED_FIRST)
        return [(MAPPED_FIRST + int(net[0]), MAPPED_FIRST + int(net[-1])) for net in summarize_address_range(low, high)]
    return [(int(net[0]), int(net[-1])) for net in summarize_address_range(IPv6Address(first), IPv6Address(last))]
