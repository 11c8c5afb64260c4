"""What to do where an interface cannot be opened."""

from __future__ import annotations

import os
import sys

from auditor.errors import WatchError


def watch_error(error: OSError) -> WatchError:
    """The engine's error in words, with the command or unit line that helps."""
    interface, what = (str(part) for part in (*error.args, "", "")[:2])
    if isinstance(error, PermissionError):
        return WatchError(f"{interface}: {what}", help=_grant(interface))
    if isinstance(error, FileNotFoundError):
        return WatchError(f"{interface}: there is no such interface", help=f"there are: {', '.join(interfaces())}")
    return WatchError(f"{interface}: {what}")


def give_up_privileges(*, captures: bool = False, writes: bool = True) -> None:
    """Give up every capability of this thread, and of those that it starts.

    For programs that only watch: there is no way back. `captures`: interfaces may still be opened; `writes`: root may
    still write files of others. Raises: WatchError, which names what the kernel refused.
    """
    from auditor import _engine

    try:
        _engine.give_up_privileges(writes_anywhere=writes and os.getuid() == 0, captures=captures)
    except OSError as error:
        raise WatchError(str(error)) from None


def interfaces() -> list[str]:
    """Names of the interfaces of this network namespace."""
    import socket

    return [name for _, name in socket.if_nameindex()]


def _grant(interface: str) -> str:
    program = sys.argv[0]
    name = program if os.path.basename(program) == "auditor" else "auditor"
    python = os.path.realpath(sys.executable)
    return (
        "capturing needs one capability, CAP_NET_RAW; auditor gives it up once the interface is open. Either\n"
        f"    sudo setpriv --reuid=$(id -u) --regid=$(id -g) --clear-groups --inh-caps=+net_raw --ambient-caps=+net_raw"
        f" {name} watch -i {interface}\n"
        "  or, in a systemd unit with a User= of its own,\n"
        "    AmbientCapabilities=CAP_NET_RAW\n"
        "    CapabilityBoundingSet=CAP_NET_RAW\n"
        "  or, for every program of this interpreter,\n"
        f"    sudo setcap cap_net_raw=ep {python}"
    )
