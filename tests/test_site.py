from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from auditor.addresses import parse_address, parse_range
from auditor.errors import AuditorError, SiteError
from auditor.rulepack import enable
from auditor.site import DEFAULT_INSIDE, BackupHost, PackOptions, Site, Waiver, load_site
from auditor.windows import CronWindow, WeeklyWindow

WHOLE = """\
inside: [10.0.0.0/8]
vantage: inside
nat: [203.0.113.7]
packs:
  drbackup: {}
  online-backup-service:
  securidata:
    networks: [198.18.0.0/28]
    registration_servers: [198.18.0.2, 198.18.0.3]
    features: {gui-monitoring: {networks: [198.51.100.0/24]}}
backup_hosts: [10.1.2.3, 10.1.3.0/28, "10.1.4.1-10.1.4.9", {address: 10.1.2.4, dedicated: true}]
allowed: [192.0.2.10]
proxies: [{kind: socks, address: 10.0.0.9, port: 1080, required: false}]
resolvers: [10.0.0.53]
explicit_return_rules: true
windows:
  - {days: mon-fri, from: "22:00", to: 06:00, timezone: Europe/Berlin}
  - {cron: "0 22 * * *", duration: 8h, timezone: UTC}
thresholds: {midstream_grace: 120}
waivers:
  - {check: udp-use, vendor: drbackup, client: 10.1.2.3, server: 66.241.7.9, reason: "…", owner: "…", ticket: "…",
     expires: 2027-01-31}
"""


@dataclass(frozen=True)
class Found:
    """The part of a finding that a waiver looks at."""

    check: str = "udp-use"
    vendor: str | None = "drbackup"
    client_ip: str | None = "10.1.2.3"
    server_ip: str | None = "66.241.7.9"


def load(tmp_path: Path, text: str, *chosen: str) -> Site:
    file = tmp_path / "site.yaml"
    file.write_text(text, encoding="utf-8")
    return load_site(file, chosen)


def errors_of(tmp_path: Path, text: str, *chosen: str) -> list[str]:
    with pytest.raises(SiteError) as error:
        load(tmp_path, text, *chosen)
    return [line.removeprefix(f"{tmp_path}/") for line in error.value.errors]


def test_a_whole_site_is_read(tmp_path: Path) -> None:
    site = load(tmp_path, WHOLE)
    assert site.inside == (parse_range("10.0.0.0/8"),)
    assert site.packs["online-backup-service"] == PackOptions()
    assert [(str(host.range), host.dedicated) for host in site.backup_hosts] == [
        ("10.1.2.3", False),
        ("10.1.3.0/28", False),
        ("10.1.4.1-10.1.4.9", False),
        ("10.1.2.4", True),
    ]
    assert site.windows == (
        WeeklyWindow("22:00", "06:00", "Europe/Berlin", "mon-fri"),
        CronWindow("0 22 * * *", "8h", "UTC"),
    )
    assert site.thresholds.midstream_grace == 120
    assert site.thresholds.control_close_grace == 60
    assert site.explicit_return_rules
    assert site.proxies[0].port == 1080
    drbackup, _, securidata = enable(site)
    assert drbackup.features == {}
    assert securidata.features == {"gui-monitoring": (parse_range("198.51.100.0/24"),)}


def test_a_site_says_itself_as_plain_values(tmp_path: Path) -> None:
    import json

    described = load(tmp_path, WHOLE).describe()
    assert json.loads(json.dumps(described)) == described
    assert described["backup_hosts"][2] == {"address": "10.1.4.1-10.1.4.9", "dedicated": False}
    assert described["waivers"][0]["expires"] == "2027-01-31"


def test_without_a_site_inside_means_the_private_networks() -> None:
    site = Site()
    for address in (
        "10.9.9.9",
        "172.31.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.1.1",
        "127.0.0.1",
        "fd00::1",
        "fe80::1",
        "::1",
    ):
        assert any(parse_address(address) in item for item in site.inside), address
    for address in ("172.32.0.1", "100.128.0.1", "66.241.7.1", "2001:db8::1", "::2"):
        assert not any(parse_address(address) in item for item in site.inside), address


def test_a_site_without_inside_has_the_default_one(tmp_path: Path) -> None:
    assert load(tmp_path, "resolvers: [10.0.0.53]\n").inside == DEFAULT_INSIDE


def test_outside_of_the_firewall_the_translated_addresses_are_inside(tmp_path: Path) -> None:
    text = "inside: [10.0.0.0/8]\nnat: [203.0.113.7]\nvantage: "
    assert [str(item) for item in load(tmp_path, text + "outside").inside] == ["10.0.0.0/8", "203.0.113.7"]
    assert [str(item) for item in load(tmp_path, text + "inside").inside] == ["10.0.0.0/8"]


def test_every_error_of_a_site_is_told_in_one_run_sorted_by_line(tmp_path: Path) -> None:
    text = """\
inside: [10.0.0.0/8, 66.0.0.0/8, 10.0.0.5/8]
vantage: outside
packs:
  drbackup: {}
  drbackpu: {}
  securidata: {features: {gui: {networks: [198.51.100.0/24]}}}
backup_hosts: [10.1.2.3, x, 192.168.0.1, {address: 10.0.0.1, dedicated: yes}]
pack: 3
pack: 4
windows: [{from: 22:00, to: 25:00, timezone: Europe/Berln}, {cron: "0 22 * * *", duration: 8, timezone: UTC}]
thresholds: {midstream_grace: soon}
waivers:
  - {check: udp-used, vendor: drbakup, reason: x, expires: 2027-02-30}
"""
    assert errors_of(tmp_path, text) == [
        "site.yaml:1: inside[2]: '10.0.0.5/8' has bits behind its prefix; expected 10.0.0.0/8 or the address alone",
        "site.yaml:1: inside[1]: 66.0.0.0/8 meets 66.241.7.1-66.241.7.30, which is drbackup's (cluster); "
        "a vendor's network cannot be inside",
        "site.yaml:2: vantage: outside needs `nat`: there the inside shows only by its translated addresses",
        "site.yaml:5: packs.drbackpu: no rule pack 'drbackpu'; did you mean \"drbackup\"?",
        "site.yaml:6: packs.securidata.features.gui: securidata has no feature 'gui'; expected gui-monitoring",
        "site.yaml:7: backup_hosts[1]: 'x' is no IP address",
        "site.yaml:7: backup_hosts[3].dedicated: 'yes' is neither true nor false",
        "site.yaml:7: backup_hosts[2]: 192.168.0.1 is not inside; expected an address of `inside`",
        'site.yaml:8: pack: unknown key; did you mean "packs"?',
        "site.yaml:9: pack: is there twice, first in line 8; expected once",
        "site.yaml:10: windows[0].to: '25:00' is no time of day; expected hours:minutes from 00:00 to 24:00",
        "site.yaml:10: windows[0].timezone: 'Europe/Berln' is no time zone; expected a name of the IANA database; "
        'did you mean "Europe/Berlin"?',
        "site.yaml:10: windows[1].duration: '8' is no duration; expected 8h, 1d12h30m or the like, up to 31d",
        "site.yaml:11: thresholds.midstream_grace: 'soon' is no whole number from 0 on",
        'site.yaml:13: waivers[0].check: no check "udp-used"; did you mean "udp-use"?',
        'site.yaml:13: waivers[0].vendor: no rule pack "drbakup"; did you mean "drbackup"?',
        "site.yaml:13: waivers[0].expires: '2027-02-30' is no date; expected year-month-day, as 2027-01-31",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("vantage: outside", "vantage: outside needs `nat`"),
        ("vantage: dmz", "vantage: 'dmz' is unknown; expected inside or outside"),
        ("inside: []", "inside: is empty; expected a network at least"),
        ("inside: 10.0.0.0/8", "inside: expected a list, there is '10.0.0.0/8'"),
        ("inside:", "inside: expected a list, nothing is there"),
        ("nat: [66.241.7.9]", "nat[0]: 66.241.7.9 meets 66.241.7.1-66.241.7.30, which is drbackup's"),
        (
            "inside: [0.0.0.0/0]\npacks: {securidata: {networks: [203.0.113.0/28]}}",
            "0.0.0.0/0 meets 203.0.113.0/28, which is securidata's",
        ),
        (
            "packs: {securidata: {networks: [10.9.0.0/16]}}",
            "10.9.0.0/16 of securidata (site) meets 10.0.0.0/8, which is inside as long as",
        ),
        (
            "packs: {securidata: {features: {gui-monitoring: {networks: []}}}}",
            "networks: is empty; expected the networks that may open it",
        ),
        ("packs: {securidata: {features: {gui-monitoring: {}}}}", "features.gui-monitoring.networks: is missing"),
        ("packs: {drbackup: {features: {gui: {networks: [192.0.2.1]}}}}", "drbackup has no feature 'gui'; it has none"),
        ("packs: [drbackup]", "packs: expected a mapping, there is a list"),
        ("packs: {drbackup: {network: [192.0.2.1]}}", 'packs.drbackup.network: unknown key; did you mean "networks"?'),
        (
            "packs: {drbackup: {zzz: 1}}",
            "packs.drbackup.zzz: unknown key; expected features, networks, registration_servers, valid_from or",
        ),
        ('mapped_proxies: {"10.0.0.9:9001": 204.164.111.0/30}', "leads to 204.164.111.0/30; expected one address"),
        ("proxies: [{kind: http, address: 10.0.0.9}]", "proxies[0].port: is missing"),
        ("windows: [{days: mon, from: 1320, to: 06:00, timezone: UTC}]", "'1320' is no time of day"),
        ("windows: [{from: 22:00, to: 06:00}]", "windows[0].timezone: is missing"),
        ("windows: [{cron: 0 22 * *, duration: 8h, timezone: UTC}]", "windows[0].cron: '0 22 * *' has 4 fields"),
        (
            "windows: [{cron: 0 22 * * *, duration: 8h, timezone: UTC, days: mon}]",
            "windows[0].days: unknown key; expected cron, duration or timezone",
        ),
        ("windows: [nightly]", "windows[0]: expected a mapping, there is 'nightly'"),
        ("thresholds: {midstream: 1}", 'thresholds.midstream: unknown key; did you mean "midstream_grace"?'),
        ("thresholds: {midstream_grace: -1}", "'-1' is no whole number from 0 on"),
        ("waivers: [{check: udp-use, expires: 2027-01-31}]", "waivers[0].reason: is missing"),
        ("waivers: [{check: udp-use, reason: x}]", "waivers[0].expires: is missing"),
        ("waivers: [{check: udp-use, reason: x, expires: 1800000000}]", "'1800000000' is no date"),
        (
            "waivers: [{check: udp-use, reason: x, expires: 2027-01-31, client: host-7}]",
            "waivers[0].client: 'host-7' is no range: 'host' is no IP address",
        ),
        ("explicit_return_rules: 1", "explicit_return_rules: '1' is neither true nor false"),
        ("explicit_return_rules: [true]", "explicit_return_rules: expected one value, there is a list"),
        ("hosts: [10.0.0.1]", "hosts: unknown key; "),
    ],
)
def test_a_wrong_site_is_told_what_was_expected(tmp_path: Path, text: str, message: str) -> None:
    (found,) = errors_of(tmp_path, text)
    assert message in found


def test_required_proxies_and_mapped_ports_are_taken_over(tmp_path: Path) -> None:
    text = """
proxies: [{kind: socks, address: 10.0.0.9, port: 1080, required: true}]
mapped_proxies: {"10.0.0.9:9001": 204.164.111.5, "[fd00::9]:9002": 204.164.111.6}
"""
    path = tmp_path / "site.yaml"
    path.write_text(text)
    site = load_site(path)
    assert [proxy.required for proxy in site.proxies] == [True]
    assert {str(endpoint.range): (endpoint.port, str(target)) for endpoint, target in site.mapped_proxies.items()} == {
        "10.0.0.9": (9001, "204.164.111.5"),
        "fd00::9": (9002, "204.164.111.6"),
    }


def test_a_mapped_port_leads_to_a_server_of_the_packs(tmp_path: Path) -> None:
    found = errors_of(
        tmp_path, 'mapped_proxies: {"10.0.0.9:9001": 8.8.8.8, "[fd00::9]:9002": 204.164.111.5, "10.0.0.9": 1.1.1.1}'
    )
    assert any('mapped_proxies["10.0.0.9:9001"]: 8.8.8.8 is in no network of' in line for line in found)
    assert any("'10.0.0.9' has no port; expected address:port" in line for line in found)
    assert not any("fd00::9" in line for line in found)


def test_a_chosen_pack_decides_what_may_be_inside(tmp_path: Path) -> None:
    text = "inside: [66.241.7.0/24]\n"
    assert load(tmp_path, text, "securidata").inside == (parse_range("66.241.7.0/24"),)
    assert len(errors_of(tmp_path, text, "drbackup")) == 1


def test_a_site_may_speak_of_a_pack_that_is_chosen_by_its_file(tmp_path: Path) -> None:
    pack = tmp_path / "acme.yaml"
    pack.write_text(
        "id: acme\ntitle: A\nversion: '1'\nsource: {document: D}\n"
        "services: [{id: s, role: volume, ports: [9000], signature: true}]\n"
        "statements: [{id: a, what: W, section: S, checked_by: [coverage]}]\n"
    )
    text = "packs: {acme: {networks: [198.51.100.0/24]}}\n"
    site = load(tmp_path, text, str(pack))
    (enabled,) = enable(site, [str(pack)])
    assert [str(item) for item in enabled.networks["site"]] == ["198.51.100.0/24"]
    assert "no rule pack 'acme'" in errors_of(tmp_path, text)[0]


def test_an_unknown_chosen_pack_is_no_error_of_the_site(tmp_path: Path) -> None:
    with pytest.raises(AuditorError, match="no rule pack 'acme'"):
        load(tmp_path, "inside: [10.0.0.0/8]\n", "acme")


def test_a_site_made_in_python_is_held_to_the_same_rules() -> None:
    with pytest.raises(SiteError, match=r"site: inside\[0\]: 66\.0\.0\.0/8 meets"):
        enable(Site(inside=(parse_range("66.0.0.0/8"),)))
    with pytest.raises(SiteError, match="site: vantage: outside needs `nat`"):
        enable(Site(vantage="outside"))
    with pytest.raises(SiteError, match=r"site: backup_hosts\[0\]: 8\.8\.8\.8 is not inside"):
        enable(Site(backup_hosts=(BackupHost(parse_range("8.8.8.8")),)))


def test_a_missing_site_and_an_empty_one_are_told(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match=r"none\.yaml: cannot be read: No such file"):
        load_site(tmp_path / "none.yaml")
    assert errors_of(tmp_path, "") == ["site.yaml:1: expected a mapping of keys and values, there is nothing"]


def waiver(**fields: object) -> Waiver:
    return Waiver(**{"check": "udp-use", "reason": "x", "expires": date(2027, 1, 31)} | fields)  # type: ignore[arg-type]


def test_a_waiver_asks_only_for_what_it_names() -> None:
    assert waiver().matches(Found())
    assert waiver().matches(Found(vendor=None, client_ip=None, server_ip=None))
    assert not waiver(check="icmp-use").matches(Found())


def test_a_waiver_holds_for_addresses_and_ranges() -> None:
    assert waiver(client=parse_range("10.1.0.0/16"), server=parse_range("66.241.7.9")).matches(Found())
    assert not waiver(client=parse_range("10.2.0.0/16")).matches(Found())
    assert not waiver(server=parse_range("66.241.7.9")).matches(Found(server_ip=None))
    assert not waiver(server=parse_range("66.241.7.9")).matches(Found(server_ip="rbs.drbackup.net"))


def test_a_waiver_for_one_vendor_accepts_nothing_that_may_be_another() -> None:
    several = Found(vendor="backup-direct|connected-backup")
    assert waiver(vendor="drbackup").matches(Found())
    assert not waiver(vendor="backup-direct").matches(several)
    assert waiver(vendor="connected-backup|backup-direct").matches(several)
    assert waiver(vendor="connected-backup|backup-direct").matches(Found(vendor="backup-direct"))
    assert not waiver(vendor="drbackup").matches(Found(vendor=None))


def test_a_waiver_holds_through_its_last_day() -> None:
    assert not waiver().expired(date(2027, 1, 31))
    assert waiver().expired(date(2027, 2, 1))
