"""Mail through a real SMTP server: STARTTLS or nothing, one message for many events, nothing that breaks out of it."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from servers import certificate, free_port, server_context
from watching import finding, settings

from auditor.sinks import open_sink
from auditor.sinks.base import DeliveryError, Place
from auditor.sinks.mail import compose

aiosmtpd = pytest.importorskip("aiosmtpd")
from aiosmtpd.controller import Controller  # noqa: E402
from aiosmtpd.smtp import AuthResult  # noqa: E402

PASSWORD = "correct horse battery staple"


class Inbox:
    """What the server took."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.recipients: list[list[str]] = []
        self.answer = "250 OK"
        self.unknown = ""

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if address == self.unknown:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            self.messages.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
            self.recipients.append(list(envelope.rcpt_tos))
        return self.answer


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("mail"))


Start = Callable[..., tuple[Inbox, int]]


@pytest.fixture
def start() -> Iterator[Start]:
    running: list[Controller] = []

    def begin(**given: Any) -> tuple[Inbox, int]:
        inbox, port = Inbox(), free_port()
        controller = Controller(inbox, hostname="127.0.0.1", port=port, ready_timeout=10, **given)
        controller.start()
        running.append(controller)
        return inbox, port

    yield begin
    for controller in running:
        controller.stop()


def mail(port: int, pair: tuple[Path, Path] | None = None, **given: Any) -> Any:
    tls = {"tls": {"ca": str(pair[0])}} if pair else {}
    return settings(
        "mail",
        **{"to": ["sec@example.com"], "from": "auditor@example.com", "server": f"localhost:{port}", **tls, **given},
    )


def accept(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=data.password == PASSWORD.encode(), handled=data.password == PASSWORD.encode())


def test_many_events_are_one_message_over_starttls_with_a_password(
    start: Start, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    inbox, port = start(
        tls_context=server_context(pair), require_starttls=True, authenticator=accept, auth_required=True
    )
    (tmp_path / "password").write_text(PASSWORD)
    chosen = mail(port, pair, user="auditor", password={"file": "password"})
    sink = open_sink(chosen, Place(str(tmp_path), "span0"))
    assert "accepts the password" in sink.probe()
    sink.deliver([finding(1), finding(2, severity="critical"), finding(3)])
    (message,) = inbox.messages
    assert message["Subject"] == "auditor span0: 1 critical, 2 medium"
    assert (message["From"], message["To"]) == ("auditor@example.com", "sec@example.com")
    assert "10.0.0.2 → 66.241.7.9:21000/udp drbackup" in message.get_content()
    (tmp_path / "password").write_text("wrong")
    with pytest.raises(DeliveryError, match=r"answers 535") as raised:
        sink.deliver([finding(1)])
    assert "wrong" not in str(raised.value)


def test_a_server_without_starttls_is_refused(start: Start) -> None:
    inbox, port = start()
    with pytest.raises(DeliveryError, match=r"offers no STARTTLS"):
        open_sink(mail(port), Place()).deliver([finding(1)])
    assert inbox.messages == []
    open_sink(mail(port, security="none"), Place()).deliver([finding(1)])
    assert len(inbox.messages) == 1


def test_a_certificate_that_nobody_vouches_for_is_not_accepted(start: Start, pair: tuple[Path, Path]) -> None:
    inbox, port = start(tls_context=server_context(pair))
    with pytest.raises(DeliveryError, match=r"its certificate is not accepted"):
        open_sink(mail(port), Place()).deliver([finding(1)])
    assert inbox.messages == []


def test_one_unknown_recipient_does_not_stop_the_others(start: Start) -> None:
    inbox, port = start()
    inbox.unknown = "gone@example.com"
    both = mail(port, security="none", to=["gone@example.com", "sec@example.com"])
    with pytest.raises(DeliveryError, match=r"does not take gone@example.com: 550; the others have it") as raised:
        open_sink(both, Place()).deliver([finding(1)])
    assert (inbox.recipients, raised.value.taken) == ([["sec@example.com"]], 1)
    with pytest.raises(DeliveryError, match=r"takes none of the recipients: 550"):
        open_sink(mail(port, security="none", to=["gone@example.com"]), Place()).deliver([finding(1)])


@pytest.mark.parametrize(("answer", "again"), [("451 later", True), ("452 full", True), ("554 spam", False)])
def test_what_the_server_refuses_for_good_is_given_up(start: Start, answer: str, again: bool) -> None:
    inbox, port = start()
    inbox.answer = answer
    with pytest.raises(DeliveryError, match=rf"answers {answer[:3]}") as raised:
        open_sink(mail(port, security="none"), Place()).deliver([finding(1)])
    assert raised.value.again == again


@pytest.mark.parametrize("answer", ["250 bye", "421 shutting down"])
def test_a_message_that_was_taken_is_not_sent_again_whatever_the_farewell(start: Start, answer: str) -> None:
    inbox, port = start()

    async def farewell(*_: Any) -> str:
        return answer

    inbox.handle_QUIT = farewell  # type: ignore[attr-defined]
    open_sink(mail(port, security="none"), Place()).deliver([finding(1)])
    assert len(inbox.messages) == 1


def test_a_password_that_cannot_be_sent_is_told_without_it(
    start: Start, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    _, port = start(tls_context=server_context(pair), require_starttls=True, authenticator=accept, auth_required=True)
    (tmp_path / "password").write_text("pässword")
    sink = open_sink(mail(port, pair, user="auditor", password={"file": "password"}), Place(str(tmp_path)))
    with pytest.raises(DeliveryError, match=r"the password in file password is not ASCII") as raised:
        sink.deliver([finding(1)])
    assert "ä" not in str(raised.value)


def test_a_server_that_cannot_be_reached_is_told_with_the_reason() -> None:
    port = free_port()
    with pytest.raises(DeliveryError, match=rf"localhost:{port}: Connection refused"):
        open_sink(mail(port), Place()).probe()


def test_what_captures_hold_cannot_break_out_of_a_message() -> None:
    evil = finding(1, title="a\r\nBcc: x@example.com\r\n\r\n.\r\nb\x1b[2J", message="é" * 5000)
    message = compose([evil], mail(25), "span\r\nBcc: y@example.com")
    assert message["Bcc"] is None
    text = message.get_content()
    assert r"a\r\nBcc: x@example.com" in text
    assert "\x1b" not in text
    assert all(len(line) < 998 for line in bytes(message).split(b"\n"))


def test_a_report_is_told_with_its_text() -> None:
    report = {"event": "report", "verdict": "violations", "message": "window ended", "text": "VIOLATIONS\n  6 findings"}
    message = compose([report], mail(25), "span0")
    assert message["Subject"] == "auditor span0: report: violations"
    assert message.get_content().splitlines()[:3] == ["report: window ended", "VIOLATIONS", "  6 findings"]
