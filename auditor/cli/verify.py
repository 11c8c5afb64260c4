"""`auditor verify`: a second opinion on the flow table, tshark's."""

import os
import sys
from typing import Annotated

from auditor.cli._option import Argument, Option
from auditor.errors import AuditorError

AGREED, DIFFERS = 0, 1
DIFFERENCES_SHOWN = 200


def run(
    capture: Annotated[str, Argument("Capture file.", "CAPTURE")],
    *,
    timeout: Annotated[int, Option("Seconds that tshark may take.", "SECONDS")] = 300,
) -> int:
    """Ask tshark for a second opinion on the flow table.

    Both count packets and bytes of every conversation. Differences whose reason is known are shown with it, and
    do not count as disagreement. Exit code 0: agreed, 1: not. Needs tshark and `pip install 'auditor[wireshark]'`.

    Example:
      auditor verify sample.pcapng
      auditor verify sample.pcapng --timeout 900
    """
    if capture == "-" or not os.path.isfile(capture):
        raise AuditorError(f"{capture}: expected one capture file; both programs read it")
    if timeout < 1:
        raise AuditorError(f"--timeout {timeout}: expected at least 1 second")
    from auditor.layout import Page, plural
    from auditor.secondopinion import second_opinion
    from auditor.terminal import screen_of

    found = second_opinion(capture, timeout)
    page = Page(screen_of(sys.stdout))
    verdict = "AGREED" if not found.unexplained else "DIFFERS"
    page.text(f"{verdict}: {plural(found.conversations, 'conversation')} of {capture}", indent=0)
    rows = [["", "alike", "of"]]
    rows += [[what.replace("_", " "), f"{alike:,}", f"{of:,}"] for what, (alike, of) in found.agreed.items()]
    page.heading("Agreement with tshark")
    page.table(rows, right=(1, 2))
    if found.differences:
        explained = len(found.differences) - len(found.unexplained)
        page.heading(f"Differences: {len(found.unexplained):,} unexplained, {explained:,} explained")
        worst_first = sorted(found.differences, key=lambda difference: bool(difference.why))
        for one in worst_first[:DIFFERENCES_SHOWN]:
            why = one.why or "NOT EXPLAINED"
            page.text(
                f"{one.ends} {one.what.replace('_', ' ')}: {one.ours} here, {one.theirs} in tshark; {why}", hang=4
            )
        if len(worst_first) > DIFFERENCES_SHOWN:
            page.text(f"… and {len(worst_first) - DIFFERENCES_SHOWN:,} more")
    print(page, end="")
    return DIFFERS if found.unexplained else AGREED
