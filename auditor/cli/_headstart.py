"""The head start of a plain call: the engine reads while Python imports.

Most calls are `auditor audit FILE… [--option value]…`, and the imports that those need take a tenth of a second. Here
the engine is set to work before them; so this module and `auditor.scan` import next to nothing.

Which traffic matters follows from the rule packs, and to load them takes as long as to read a hundred thousand
packets. So for the shipped packs and no site the answer is kept in a generated file. If it were stale, or a call were
read differently here than where it counts, the scan would be the wrong one, and `auditor.scan.open_scan` would not
take it: a head start can be useless, never wrong.

AUDITOR_HEADSTART=0 switches it off.
"""

from __future__ import annotations

import os
import stat

from auditor.scan import THREADS_AT_MOST, ScanOptions, begin
from auditor.wishes import Listening

TYPE_CHECKING = False  # see `auditor`
if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = ("audit", "flows")
# Their options, by their full names and `-o`: those without a value, and those with one. A test
# holds them to be all.
SWITCHES = ("--all-flows", "--allow-incomplete", "--hash", "--keep-duplicates", "--validate-checksums")
VALUED = (
    *("--as-of", "--color", "--fail-on", "--format", "--inside", "--output", "--outside", "--pack", "--processes"),
    *("--site", "--threads", "--vlan", "-o"),
)


def begin_scan(arguments: Sequence[str]) -> None:
    """Begin the scan that such a call will ask for; nothing where that is not known beforehand."""
    if os.environ.get("AUDITOR_HEADSTART") == "0":
        return
    command, *words = arguments or ("",)
    split = words_of(words) if command in COMMANDS else None
    if split is None or not all(_is_regular_file(path) for path in split[0]):
        return
    captures, given = split
    options = _options(command, given)
    if options is not None:
        begin(captures, options)


def words_of(words: Sequence[str]) -> tuple[list[str], dict[str, list[str]]] | None:
    """The captures and the options with their values; None where that is not clear at once."""
    captures: list[str] = []
    given: dict[str, list[str]] = {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            captures.append(word)
        elif word in SWITCHES:
            given[word] = []
        elif word in VALUED and not (value := next(rest, "-")).startswith("-"):
            given.setdefault("--output" if word == "-o" else word, []).append(value)
        else:
            return None
    return (captures, given) if captures else None


def _options(command: str, given: dict[str, list[str]]) -> ScanOptions | None:
    """How the command will read."""
    if command == "flows":
        suffixes = [os.path.splitext(path)[1][1:] for path in given.get("--output", ())]
        all_columns, keep_all = set(given.get("--format", suffixes)) != {"csv"}, True
    else:
        all_columns, keep_all = "--all-flows" in given, False
    packs = given.get("--pack", [""])
    threads = given.get("--threads", ["1"])[-1]
    if not (threads.isascii() and threads.isdecimal() and 0 < int(threads) <= THREADS_AT_MOST):
        return None
    if given.keys() & {"--site", "--inside", "--outside"} or len(packs) > 1:
        return None
    from auditor.generated.headstart import INTERESTS

    if packs[0] not in INTERESTS:
        return None
    networks, ports, conversations, samples, names = INTERESTS[packs[0]]
    is_table = command == "flows"
    heard = Listening(conversations, () if is_table else samples, names)
    return ScanOptions(
        None if all_columns else networks,
        () if all_columns else ports,
        keep_all=keep_all and not all_columns,
        validate_checksums="--validate-checksums" in given,
        keep_duplicates="--keep-duplicates" in given,
        vlan=given.get("--vlan", ["auto"])[-1],
        listening=heard,
        heard_early=is_table,
        threads=int(threads) if "--threads" in given else None,
    )


def _is_regular_file(path: str) -> bool:
    try:
        path.encode()
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):  # ValueError: names with a null byte, or that are not UTF-8
        return False
