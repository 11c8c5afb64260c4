"""`auditor systemd`: units for systemd."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from auditor.cli._option import Argument
from auditor.errors import AuditorError

FOLDER = Path(__file__).resolve().parent.parent / "systemd"
KINDS = (".service", ".timer")


def names() -> Sequence[str]:
    """Names of the units, for the shell's completion too."""
    return sorted(path.name for path in FOLDER.iterdir() if path.suffix in KINDS)


def run(
    unit: Annotated[str, Argument("Name of the unit; without one, they are listed.", "UNIT", names, False)] = "",
) -> int:
    """Print a unit for systemd: hardened, with one capability, a watchdog and reload.

    Example:
      auditor systemd
      auditor systemd auditor-watch.service > /etc/systemd/system/auditor-watch.service
    """
    if not unit:
        for name in names():
            first = (FOLDER / name).read_text(encoding="utf-8").splitlines()[0]
            print(f"{name}  {first.removeprefix('# ')}")
        return 0
    if unit not in names():
        from auditor.words import did_you_mean

        raise AuditorError(f"no unit {unit!r}{did_you_mean(unit, names())}", help="`auditor systemd` lists them all")
    print((FOLDER / unit).read_text(encoding="utf-8"), end="")
    return 0
