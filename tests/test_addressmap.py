"""Codes of addresses, against the plain membership test."""

from __future__ import annotations

import numpy as np
from flowbuilder import number
from hypothesis import given
from hypothesis import strategies as st

from auditor.addresses import AddressRange, parse_range
from auditor.addressmap import AddressMap, table_of

IPV4 = st.integers(0, 2**32 - 1).map(lambda n: (0xFFFF << 32) | n)
IPV6 = st.integers(2**96, 2**128 - 1)
EDGES = st.sampled_from([0, 1, 0xFFFF << 32, (0xFFFF << 32) + 2**32 - 1, 2**64, 2**128 - 1])
ADDRESS = st.one_of(IPV4, IPV6, EDGES)


def ranges(family: st.SearchStrategy[int]) -> st.SearchStrategy[AddressRange]:
    return st.tuples(family, family).map(lambda ends: AddressRange(min(ends), max(ends), "…"))


SETS = st.dictionaries(st.sampled_from("abcd"), st.lists(st.one_of(ranges(IPV4), ranges(IPV6)), max_size=3))


def words(addresses: list[int]) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    low = 2**64 - 1
    return np.array([a >> 64 for a in addresses], np.uint64), np.array([a & low for a in addresses], np.uint64)


@given(SETS, st.lists(ADDRESS, min_size=1))
def test_every_address_is_in_just_the_sets_that_hold_it(
    sets: dict[str, list[AddressRange]], addresses: list[int]
) -> None:
    edges = [end for found in sets.values() for item in found for end in (item.first, item.last)]
    addresses += edges
    addresses += [edge + 1 for edge in edges if edge < 2**128 - 1]
    built = AddressMap(sets)
    codes = built.codes(*words(addresses))
    for name in "abcd":
        expected = [any(address in item for item in sets.get(name, [])) for address in addresses]
        assert built.holds(name)[codes].tolist() == expected


def test_any_of_several_names_is_enough() -> None:
    built = AddressMap({"one": [parse_range("10.0.0.0/8")], "two": [parse_range("10.1.0.0/16"), parse_range("::1")]})
    codes = built.codes(*words([number("10.1.2.3"), number("10.2.2.3"), number("::1"), number("::2")]))
    assert built.holds("one", "two")[codes].tolist() == [True, True, True, False]
    assert built.holds("two")[codes].tolist() == [True, False, True, False]
    assert built.holds()[codes].tolist() == [False] * 4


def test_whole_ipv6_space_does_not_hold_ipv4() -> None:
    built = AddressMap({"all": [parse_range("::/0")]})
    assert built.holds("all")[built.codes(*words([number("10.0.0.1"), number("2001:db8::1")]))].tolist() == [
        False,
        True,
    ]


def test_table_is_true_at_its_numbers() -> None:
    assert np.flatnonzero(table_of({3, 5}, 8)).tolist() == [3, 5]
