import pytest
from flowbuilder import row
from ftp import AUTH, GREETING, IN_CLEAR, LOGIN, LOGIN_REFUSED, OPAQUE, PASS, UNDER_TLS, USER, control, said
from judging import CRITICAL, OBS, exercised, judged, only, undecided

CHECK = "cleartext-credentials"
PROXY = "10.0.0.9:1080"
SOCKS = {"kind": "socks-request", "number": 5, "address": "204.164.111.9", "port": 16384, "more": ("connect",)}
CONNECT = {"kind": "http-connect", "address": "204.164.111.9", "port": 16384}
HTTP_SITE = {"proxies": [{"kind": "http", "address": "10.0.0.9", "port": 8080}]}


def test_password_in_clear_is_critical() -> None:
    found = only(CHECK, control(), events=IN_CLEAR)
    assert (found.severity, found.certain, found.statements) == (CRITICAL, True, ("encrypted",))


def test_session_under_tls_is_silent() -> None:
    assert not judged(CHECK, control(), events=UNDER_TLS)


def test_password_before_tls_was_read_all_the_same() -> None:
    assert only(CHECK, control(), events=said(GREETING, USER, PASS, AUTH, OPAQUE)).certain


def test_user_name_before_tls_opens_nothing() -> None:
    assert not judged(CHECK, control(), events=said(GREETING, USER, LOGIN_REFUSED, AUTH, OPAQUE))


def test_user_name_alone_is_inferred_unless_it_was_enough_to_log_in() -> None:
    assert not only(CHECK, control(), events=said(GREETING, USER)).certain
    assert only(CHECK, control(), events=said(GREETING, USER, LOGIN)).certain


@pytest.mark.parametrize("server", ["198.51.100.7:21", "10.0.0.20:21"])
def test_ftp_of_no_vendor_is_silent(server: str) -> None:
    assert not judged(CHECK, row("10.0.0.5:40000", server), events=IN_CLEAR)


def test_session_on_the_alternate_port_elsewhere_may_be_another_programs() -> None:
    assert not only(CHECK, row("10.0.0.5:40000", "198.51.100.7:211"), events=IN_CLEAR).certain


def test_login_at_a_socks_proxy_is_no_word_about_the_data() -> None:
    events = [{"flow": 0, "kind": "socks-credentials"}, {"flow": 0, **SOCKS}]
    found = only(CHECK, row("10.0.0.5:40000", PROXY), events=events, packs=[OBS])
    assert (found.severity, found.statements) == (CRITICAL, ())


def test_socks_without_a_login_is_silent() -> None:
    assert not judged(CHECK, row("10.0.0.5:40000", PROXY), events=[{"flow": 0, **SOCKS}], packs=[OBS])


def test_socks_login_for_somebody_elses_server_is_silent() -> None:
    events = [{"flow": 0, "kind": "socks-credentials"}, {"flow": 0, **SOCKS, "address": "198.51.100.7", "port": 443}]
    assert not judged(CHECK, row("10.0.0.5:40000", PROXY), events=events, packs=[OBS])


@pytest.mark.parametrize(("basic", "count"), [(1, 1), (0, 0)])
def test_http_credentials_in_basic_form_alone_can_be_read(basic: int, count: int) -> None:
    events = [{"flow": 0, **CONNECT}, {"flow": 0, "kind": "proxy-authorization", "flag": basic}]
    found = judged(CHECK, row("10.0.0.5:40000", "10.0.0.9:8080"), events=events, packs=[OBS], site=HTTP_SITE)
    assert len(found) == count


def test_session_that_the_outside_opened_is_silent() -> None:
    assert not judged(CHECK, row("66.241.7.3:4000", "10.0.0.5:21"), events=IN_CLEAR)


def test_control_session_read_from_its_start_puts_it_to_the_test() -> None:
    assert exercised(CHECK, control(), events=UNDER_TLS) == exercised(CHECK, control(), events=IN_CLEAR) == [0]
    assert undecided(CHECK, control(), events=UNDER_TLS) == []


def test_control_session_of_which_something_is_missing_decides_nothing() -> None:
    holed = said(GREETING, ("lost", {"text": "ftp"}))
    assert exercised(CHECK, control(), events=holed) == []
    assert undecided(CHECK, control(), events=holed) == undecided(CHECK, control()) == [0]
