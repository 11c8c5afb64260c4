"""Frames that scapy builds."""

from __future__ import annotations

from typing import Any

from scapy.layers.l2 import Ether


def plain_ether() -> Any:
    """Ethernet between two made-up hosts. Without addresses scapy would ask the network for them."""
    return Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
