"""Many sets of addresses, asked for all n addresses at once.

Each address gets a code that says which of the sets hold it: one binary search an address, however many
vendors there are.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Generic, TypeVar

import numpy as np

from auditor.addresses import LOW_WORD, MAPPED_FIRST, MAPPED_LAST, AddressRange, intervals
from auditor.flow import IPV4_MAPPED, Bools, Ports, Words
from auditor.ports import PortRange

Name = TypeVar("Name", bound=Hashable)

IPV4_SPAN = 1 << 32


class AddressMap(Generic[Name]):
    """Named sets of addresses; a name that is not there is an empty set."""

    def __init__(self, sets: Mapping[Name, Iterable[AddressRange]]) -> None:
        spans = [(first, last, name) for name, ranges in sets.items() for first, last in intervals(ranges)]
        edges = sorted({0} | {first for first, _, _ in spans} | {last + 1 for _, last, _ in spans})
        memberships = [frozenset(name for first, last, name in spans if first <= edge <= last) for edge in edges]
        self._members: list[frozenset[Name]] = [frozenset()]
        for names in memberships:
            if names not in self._members:
                self._members.append(names)
        codes = [self._members.index(names) for names in memberships]
        self._edges, self._codes = edges, codes
        mapped = [(edge, code) for edge, code in zip(edges, codes, strict=True) if MAPPED_FIRST < edge <= MAPPED_LAST]
        at_first = codes[max(at for at, edge in enumerate(edges) if edge <= MAPPED_FIRST)]
        self._ipv4_edges = np.array([edge - MAPPED_FIRST for edge, _ in mapped], np.uint32)
        self._ipv4_codes = np.array([at_first, *(code for _, code in mapped)], np.uint16)

    def codes(self, hi: Words, lo: Words) -> Ports:
        """The code of each of n addresses, given as upper and lower 64 bits."""
        offset = lo - np.uint64(IPV4_MAPPED)
        is_ipv4 = (hi == 0) & (offset < IPV4_SPAN)
        if is_ipv4.all():
            return self._ipv4(offset)
        found = np.empty(len(lo), np.uint16)
        found[is_ipv4] = self._ipv4(offset[is_ipv4])
        others = np.flatnonzero(~is_ipv4)
        found[others] = self._ipv6(hi[others], lo[others])
        return found

    def holds(self, *names: Name) -> Bools:
        """Table over codes: whether the set of any of these names holds the addresses of that code."""
        return np.array([not members.isdisjoint(names) for members in self._members], np.bool_)

    def _ipv4(self, offset: Words) -> Ports:
        return self._ipv4_codes[np.searchsorted(self._ipv4_edges, offset.astype(np.uint32), side="right")]

    def _ipv6(self, hi: Words, lo: Words) -> Ports:
        # numpy has no 128-bit integer to search by, and the edges are few: the last edge at or below the address wins
        found = np.zeros(len(lo), np.uint16)
        for edge, code in zip(self._edges, self._codes, strict=True):
            if edge >> 128:
                break
            top, bottom = np.uint64(edge >> 64), np.uint64(edge & LOW_WORD)
            found[(hi > top) | ((hi == top) & (lo >= bottom))] = code
        return found


def table_of(numbers: Iterable[int], size: int = 65536) -> Bools:
    """Table over 0…size-1 that is true at `numbers`: for ports no membership test is faster than a lookup in it."""
    table = np.zeros(size, np.bool_)
    table[list(numbers)] = True
    return table


def table_of_ports(ranges: Iterable[PortRange]) -> Bools:
    """Table over all ports that is true in the ranges."""
    table = np.zeros(65536, np.bool_)
    for ports in ranges:
        table[ports.first : ports.last + 1] = True
    return table


def any_bit(column: Ports, bits: int) -> Bools:
    """Whether any of these bits is set, element by element."""
    found: Bools = (column & np.uint16(bits)) != 0
    return found
