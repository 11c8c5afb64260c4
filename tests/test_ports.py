from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.ports import PortRange, parse_port, parse_ports


@given(st.integers(1, 65535), st.integers(1, 65535))
def test_a_range_is_read_as_it_is_written(one: int, other: int) -> None:
    ports = PortRange(min(one, other), max(one, other))
    assert parse_ports(str(ports)) == ports
    assert one in ports
    assert other in ports
    assert ports.last + 1 not in ports


@pytest.mark.parametrize(
    "text", ["0", "70000", "1-65536", "9-1", "a", "", "1-2-3", "-5", "+5", "1_000", "\N{SUPERSCRIPT TWO}"]
)
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_ports(text)


def test_one_port_is_not_several() -> None:
    assert parse_port("1080") == 1080
    with pytest.raises(ValueError, match="several ports; expected one"):
        parse_port("1080-1081")
