from __future__ import annotations

import itertools
from ipaddress import IPv6Address, ip_network

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.addresses import AddressRange, AddressSet, contains, intervals, parse_address, parse_range

LOW = (1 << 64) - 1
NUMBERS = st.one_of(
    st.integers(0, (1 << 128) - 1),
    st.integers(0xFFFF_0000_0000 - 3, 0xFFFF_FFFF_FFFF + 3),
    st.integers(0, 40),
    st.integers((1 << 64) - 20, (1 << 64) + 20),
)


@st.composite
def ranges(draw: st.DrawFn) -> AddressRange:
    first, last = sorted((draw(NUMBERS), draw(NUMBERS)))
    return AddressRange(first, last, "")


def inside(item: AddressRange, number: int) -> bool:
    """The plain meaning of a range, as the test's judge: IPv6 ranges do not mean the numbers of IPv4."""
    spans_ipv4 = item.first < 0xFFFF_0000_0000 and item.last > 0xFFFF_FFFF_FFFF
    return item.first <= number <= item.last and not (spans_ipv4 and 0xFFFF_0000_0000 <= number <= 0xFFFF_FFFF_FFFF)


@given(st.lists(ranges(), max_size=30), st.lists(NUMBERS, min_size=1, max_size=50))
def test_columns_are_judged_as_single_addresses_are(items: list[AddressRange], numbers: list[int]) -> None:
    edges = [edge for item in items for edge in (item.first, item.last, item.first - 1, item.last + 1)]
    asked = [number for number in numbers + edges if 0 <= number < 1 << 128]
    hi = np.array([number >> 64 for number in asked], np.uint64)
    lo = np.array([number & LOW for number in asked], np.uint64)
    expected = [any(inside(item, number) for item in items) for number in asked]
    assert contains(items, hi, lo).tolist() == expected
    assert [number in AddressSet(items) for number in asked] == expected


@given(st.lists(ranges(), max_size=20))
def test_intervals_are_sorted_disjoint_and_not_adjacent(items: list[AddressRange]) -> None:
    found = intervals(items)
    assert all(first <= last for first, last in found)
    assert all(one[1] + 1 < other[0] for one, other in itertools.pairwise(found))


@given(ranges(), ranges())
def test_overlap_is_the_same_from_both_sides_and_for_sets(one: AddressRange, other: AddressRange) -> None:
    assert one.overlaps(other) == other.overlaps(one) == AddressSet([one]).overlaps(other)


@given(st.integers(0, (1 << 32) - 1), st.integers(0, 32))
def test_a_network_covers_what_the_standard_library_says(address: int, prefix: int) -> None:
    network = ip_network((address, prefix), strict=False)
    parsed = parse_range(str(network))
    assert (parsed.first, parsed.last) == (
        0xFFFF_0000_0000 | int(network.network_address),
        0xFFFF_0000_0000 | int(network.broadcast_address),
    )


@given(st.integers(0, (1 << 128) - 1))
def test_an_ipv6_address_is_its_own_number(number: int) -> None:
    assert parse_address(str(IPv6Address(number))) == number


def test_a_range_keeps_the_form_it_was_published_in() -> None:
    assert str(parse_range("66.241.7.1-66.241.7.30")) == "66.241.7.1-66.241.7.30"
    assert str(parse_range("204.164.111.0/26")) == "204.164.111.0/26"


def test_a_printed_dash_with_blanks_is_a_range_too() -> None:
    assert parse_range("66.241.7.1 \N{EN DASH} 66.241.7.30") == parse_range("66.241.7.1-66.241.7.30")


def test_all_of_ipv6_leaves_ipv4_out() -> None:
    assert parse_address("192.0.2.1") not in parse_range("::/0")
    assert parse_address("2001:db8::1") in parse_range("::/0")
    assert parse_address("192.0.2.1") in parse_range("0.0.0.0/0")
    assert not parse_range("::/0").overlaps(parse_range("10.0.0.0/8"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10.0.0.5/8", "'10.0.0.5/8' has bits behind its prefix; expected 10.0.0.0/8 or the address alone"),
        ("10.0.0.0/33", "'10.0.0.0/33' is no network; expected a prefix length from 0 to 32"),
        ("10.0.0.9-10.0.0.1", "'10.0.0.9-10.0.0.1' ends before it begins; expected first-last"),
        ("10.0.0.1-::2", "'10.0.0.1-::2' goes from IPv4 to IPv6; expected one family"),
        ("10.0.0", "'10.0.0' is no IP address"),
        ("010.0.0.1", "'010.0.0.1' is no IP address"),
        ("fe80::1%eth0", "'fe80::1%eth0' has a zone; expected the address without it"),
        ("", "'' is no IP address"),
        ("10.0.0.1-300", "'10.0.0.1-300' is no range: '300' is no IP address"),
    ],
)
def test_a_wrong_range_is_refused_with_what_was_expected(text: str, message: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is compared whole
        parse_range(text)
    assert str(error.value) == message
