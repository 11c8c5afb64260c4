"""Telling the service manager how we are: READY, WATCHDOG, RELOADING, STOPPING.

A datagram to the socket that `NOTIFY_SOCKET` names is all there is to it; a package for these lines would be one more
to trust. Without the variable nothing happens. Source: sd_notify(3).
"""

from __future__ import annotations

import os
import socket
import time


def notify(*lines: str) -> bool:
    """Send assignments such as `READY=1`; whether there was somebody to send them to."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.settimeout(1.0)
        try:
            # a leading @ means Linux's abstract namespace, whose names begin with a NUL
            channel.sendto("\n".join(lines).encode(), "\0" + address[1:] if address[0] == "@" else address)
        except OSError:  # the manager is gone, or restarts: nothing of ours depends on it
            return False
    return True


def reloading() -> tuple[str, str]:
    """What is told when a reload begins: systemd wants the moment with it."""
    return "RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}"


def watchdog_seconds() -> float | None:
    """How often the service manager wants to hear from us; None: not at all. Source: sd_watchdog_enabled(3)."""
    usec, process = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not usec.isdecimal() or not int(usec) or (process and process != str(os.getpid())):
        return None
    return int(usec) / 1e6
