"""Address ranges, and which of n addresses lie in them.

Addresses are 128-bit numbers, IPv4 as ::ffff:a.b.c.d, so that one kind of range serves both families.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

from auditor.frozen import frozen
from auditor.scalars import Scalar

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from auditor.flow import Bools, Words

MAPPED_FIRST: Final = 0xFFFF_0000_0000
"""::ffff:0.0.0.0, the number of 0.0.0.0."""
MAPPED_LAST: Final = 0xFFFF_FFFF_FFFF
LOW_WORD: Final = 0xFFFF_FFFF_FFFF_FFFF
FEW_INTERVALS: Final = 12
"""Up to so many intervals a comparison each beats a binary search (measured on a million addresses)."""


@frozen
class AddressRange:
    """Addresses from `first` to `last`, both belonging to it."""

    first: int
    last: int
    text: str
    """The form it was published in: `204.164.111.0/26`, `66.241.7.1-66.241.7.30`, `10.1.2.3`."""

    def __contains__(self, address: int) -> bool:
        return any(first <= address <= last for first, last in intervals((self,)))

    def __str__(self) -> str:
        return self.text

    def overlaps(self, other: AddressRange) -> bool:
        """Whether some address lies in both."""
        return any(a <= d and c <= b for a, b in intervals((self,)) for c, d in intervals((other,)))


def parse_address(text: str) -> int:
    """The 128-bit number of an address; ValueError if it is none."""
    return _number(_address(text))


def parse_range(text: str) -> AddressRange:
    """A range from an address, a CIDR network or `first-last`; ValueError says what is wrong with it."""
    # Documents print ranges with a dash and blanks around it; there is no other way to read them.
    text = text.replace("\N{EN DASH}", "-").replace(" ", "")
    if "/" in text:
        return _parse_network(text)
    if "-" not in text:
        number = parse_address(text)
        return AddressRange(number, number, text)
    try:
        first, last = (_address(end) for end in text.split("-", 1))
    except ValueError as error:
        raise ValueError(f"{text!r} is no range: {error}") from None
    if first.version != last.version:
        raise ValueError(f"{text!r} goes from IPv{first.version} to IPv{last.version}; expected one family")
    if _number(first) > _number(last):
        raise ValueError(f"{text!r} ends before it begins; expected first-last")
    return AddressRange(_number(first), _number(last), text)


def intervals(ranges: Iterable[AddressRange]) -> list[tuple[int, int]]:
    """What `ranges` cover, as sorted disjoint intervals of numbers.

    A range of IPv6 addresses that spans the numbers which stand for IPv4 (as ::/0 does) does not mean those.
    """
    merged: list[tuple[int, int]] = []
    for first, last in sorted(_without_mapped(ranges)):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


class AddressSet:
    """Many ranges, asked for single addresses."""

    def __init__(self, ranges: Iterable[AddressRange]) -> None:
        self._intervals = intervals(ranges)
        self._firsts = [first for first, _ in self._intervals]

    def __contains__(self, address: int) -> bool:
        at = bisect_right(self._firsts, address) - 1
        return at >= 0 and address <= self._intervals[at][1]

    def overlaps(self, one: AddressRange) -> bool:
        """Whether some address of `one` lies in the set."""
        for first, last in intervals((one,)):
            at = bisect_right(self._firsts, last) - 1
            if at >= 0 and self._intervals[at][1] >= first:
                return True
        return False


def contains(ranges: Sequence[AddressRange], hi: Words, lo: Words) -> Bools:
    """Which of n addresses (their upper and lower 64 bits) lie in any of `ranges`."""
    import numpy as np

    found = np.zeros(len(lo), np.bool_)
    for upper, lows in _by_upper_word(intervals(ranges)).items():
        here = hi == np.uint64(upper)
        if not here.any():
            continue
        if len(lows) > FEW_INTERVALS:
            starts = np.array([first for first, _ in lows], np.uint64)
            widths = np.array([last - first for first, last in lows], np.uint64)
            at = np.maximum(np.searchsorted(starts, lo, side="right"), 1) - 1
            found |= here & (lo - starts[at] <= widths[at])
        else:
            for first, last in lows:
                # Unsigned: what lies below `first` wraps round to far above any width.
                found |= here & (lo - np.uint64(first) <= np.uint64(last - first))
    for first, last in _whole_words(intervals(ranges)):
        found |= (hi >= np.uint64(first)) & (hi <= np.uint64(last))
    return found


def _by_upper_word(numbers: Iterable[tuple[int, int]]) -> dict[int, list[tuple[int, int]]]:
    """Lower words' intervals under the upper word that they belong to, without the upper words covered wholly."""
    lows: dict[int, list[tuple[int, int]]] = {}
    for first, last in numbers:
        top, bottom = first >> 64, last >> 64
        if top == bottom:
            if (first & LOW_WORD, last & LOW_WORD) != (0, LOW_WORD):
                lows.setdefault(top, []).append((first & LOW_WORD, last & LOW_WORD))
            continue
        if first & LOW_WORD:
            lows.setdefault(top, []).append((first & LOW_WORD, LOW_WORD))
        if last & LOW_WORD != LOW_WORD:
            lows.setdefault(bottom, []).append((0, last & LOW_WORD))
    return lows


def _whole_words(numbers: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Intervals of upper words of which every lower word belongs to a range."""
    for first, last in numbers:
        top = (first >> 64) + (first & LOW_WORD != 0)
        bottom = (last >> 64) - (last & LOW_WORD != LOW_WORD)
        if top <= bottom:
            yield top, bottom


def _without_mapped(ranges: Iterable[AddressRange]) -> Iterator[tuple[int, int]]:
    for item in ranges:
        if item.first < MAPPED_FIRST and item.last > MAPPED_LAST:
            yield item.first, MAPPED_FIRST - 1
            yield MAPPED_LAST + 1, item.last
        else:
            yield item.first, item.last


def _parse_network(text: str) -> AddressRange:
    from ipaddress import ip_network

    address = _address(text.split("/", 1)[0])
    try:
        network = ip_network(text, strict=False)
    except ValueError as error:
        raise ValueError(
            f"{text!r} is no network; expected a prefix length from 0 to {address.max_prefixlen}"
        ) from error
    if network.network_address != address:
        raise ValueError(f"{text!r} has bits behind its prefix; expected {network} or the address alone")
    return AddressRange(_number(network.network_address), _number(network.broadcast_address), text)


def _address(text: str) -> IPv4Address | IPv6Address:
    from ipaddress import IPv6Address, ip_address

    try:
        address = ip_address(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no IP address") from error
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise ValueError(f"{text!r} has a zone; expected the address without it")
    return address


def _number(address: IPv4Address | IPv6Address) -> int:
    return int(address) | MAPPED_FIRST if address.version == 4 else int(address)


Range: TypeAlias = Annotated[
    AddressRange,
    Scalar(parse_range, {"type": "string", "description": "an address, a CIDR network, or first-last"}),
]
"""A range as a field of a document."""
Ranges: TypeAlias = tuple[Range, ...]
