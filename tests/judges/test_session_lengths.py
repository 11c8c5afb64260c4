"""How long backups took, against a figure that is no promise."""

from typing import Any

from flowbuilder import Row, row
from verdicts import verdict

from auditor.judges.base import Verdict

SITE = {"packs": {"connected-backup": {"registration_servers": ["12.159.133.2"]}}}
HOUR = 3600.0


def lengths(*rows: Row, **more: Any) -> Verdict:
    return verdict("session-lengths", "connected-backup", *rows, **{"site": SITE, **more})


def registration(start: float = 0, **more: Any) -> Row:
    return row("10.0.0.5:2000", "12.159.133.2:16384", start=start, **more)


def backup(start: float, duration: float, client: str = "10.0.0.5", **more: Any) -> Row:
    port = 2001 + int(start) % 60_000
    return row(f"{client}:{port}", "12.159.133.20:16384", start=start, duration=duration, **more)


def test_hours_at_first_and_minutes_later_are_as_told() -> None:
    found = lengths(registration(), backup(60, 2 * HOUR), backup(90_000, 120), backup(180_000, 400))
    assert found == ("met", "1 first backup took 2.0 h, 2 later backups took 2 min to 7 min")


def test_other_lengths_are_no_violation() -> None:
    assert lengths(registration(), backup(60, 300), backup(90_000, 120)).status == "inconclusive"
    assert lengths(registration(), backup(60, 2 * HOUR), backup(90_000, 2 * HOUR)).status == "inconclusive"


def test_without_a_registration_no_backup_is_known_to_be_the_first() -> None:
    found = lengths(backup(60, 2 * HOUR), backup(90_000, 120))
    assert found.status == "not exercised"
    assert "1 later backup took 2 min" in found.evidence


def test_a_backup_without_its_end_has_no_length() -> None:
    found = lengths(registration(), backup(60, 2 * HOUR, history="ShADad"), backup(90_000, 120))
    assert found.status == "not exercised"
    assert lengths(registration(), backup(60, 10, history="S")).status == "not exercised"


def test_registration_of_another_client_says_nothing() -> None:
    assert lengths(registration(), backup(60, 2 * HOUR, client="10.0.0.6")).status == "not exercised"
