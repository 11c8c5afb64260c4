from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from auditor import compiled, rulepack
from auditor.addresses import parse_range
from auditor.errors import AuditorError, RulePackError
from auditor.pack_checks import check_packs
from auditor.rulepack import SITE_GROUP, RulePack, choose_packs, enable, find_pack, load_pack, shipped_packs
from auditor.rules_view import check_rules, list_packs, schema, show_pack
from auditor.site import PackOptions, Site
from auditor.validation.pack import validate_pack

RULES = Path(rulepack.RULES)
ACME = """\
id: acme
title: Acme Backup
version: "1"
source: {document: Firewalls}
networks:
  main: [198.51.100.0/24]
services:
  - {id: backup, role: volume, ports: [9000, 9100-9200], signature: true, statement: port}
statements:
  - {id: port, what: Port 9000., section: Ports, checked_by: [coverage]}
"""


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    file = tmp_path / "acme.yaml"
    file.write_text(ACME)
    return file


def errors_of(text: str) -> list[str]:
    with pytest.raises(RulePackError) as error:
        validate_pack(text.encode(), "acme.yaml")
    return error.value.errors


def test_a_pack_is_read_from_its_file_alone(acme: Path) -> None:
    pack = load_pack(acme)
    assert pack.id == "acme"
    assert pack.published == (parse_range("198.51.100.0/24"),)
    assert [str(ports) for ports in pack.services[0].ports] == ["9000", "9100-9200"]
    assert pack.bulk_bytes == 16384
    assert find_pack(str(acme)) == pack


def test_one_more_file_in_the_folder_is_one_more_vendor(acme: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in RULES.glob("*.yaml"):
        (acme.parent / file.name).write_bytes(file.read_bytes())
    before = [pack.id for pack in shipped_packs()]
    monkeypatch.setattr(rulepack, "RULES", acme.parent)
    assert [pack.id for pack in shipped_packs()] == sorted([*before, "acme"])


def test_two_files_with_one_id_are_refused_by_both_names(acme: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (acme.parent / "other.yaml").write_text(ACME)
    monkeypatch.setattr(rulepack, "RULES", acme.parent)
    with pytest.raises(RulePackError, match=r"other\.yaml: id: 'acme' is the id of .*acme\.yaml as well"):
        shipped_packs()


def test_compiled_packs_are_the_packs_that_yaml_gives() -> None:
    for file in sorted(RULES.glob("*.yaml")):
        content = file.read_bytes()
        assert compiled.compiled_pack(content) == validate_pack(content, file.name)


def test_a_changed_pack_is_not_taken_from_the_compiled_ones(tmp_path: Path) -> None:
    text = (RULES / "drbackup.yaml").read_text(encoding="utf-8").replace("[21]", "[2121]")
    file = tmp_path / "drbackup.yaml"
    file.write_text(text, encoding="utf-8")
    assert str(load_pack(file).services[0].ports[0]) == "2121"


def test_shipped_packs_cost_no_validator_no_yaml_and_no_numpy() -> None:
    program = (
        "import sys, auditor.rulepack, auditor.site; auditor.rulepack.enable(auditor.site.Site(), ['drbackup']);"
        "print([name for name in ('pydantic', 'yaml', 'numpy', 'pandas', 'zoneinfo') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_an_unknown_pack_is_answered_with_the_one_that_was_meant() -> None:
    with pytest.raises(AuditorError, match="no rule pack 'drbackpu'; did you mean \"drbackup\"") as error:
        find_pack("drbackpu")
    assert error.value.help is not None
    assert "securidata" in error.value.help


def test_a_missing_pack_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(RulePackError, match="cannot be read: No such file"):
        find_pack(str(tmp_path / "none.yaml"))


def test_pack_with_two_errors_reports_both() -> None:
    text = ACME.replace("[9000, 9100-9200]", "[70000, 9100-9200]").replace("198.51.100.0/24", "198.51.100.0/99")
    assert errors_of(text) == [
        "acme.yaml:6: networks.main[0]: '198.51.100.0/99' is no network; expected a prefix length from 0 to 32",
        "acme.yaml:8: services[0].ports[0]: 70000 is no port; expected 1-65535 or first-last",
    ]


def test_errors_of_kind_and_of_reference_come_in_one_run() -> None:
    text = ACME.replace("ports: [9000", "networks: [mian], statement: prot, ports: [0").replace("statement: port}", "}")
    assert errors_of(text) == [
        "acme.yaml:8: services[0].networks[0]: this pack has no group of networks 'mian'; did you mean \"main\"?",
        "acme.yaml:8: services[0].statement: this pack has no statement 'prot'; did you mean \"port\"?",
        "acme.yaml:8: services[0].ports[0]: 0 is no port; expected 1-65535 or first-last",
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title:", "titel:", 'titel: unknown key; did you mean "title"?'),
        ("title: Acme Backup\n", "", "acme.yaml:1: title: is missing"),
        ("id: acme", "id: Acme!", "id: 'Acme!' is no name"),
        (
            "role: volume",
            "role: volumes",
            'is unknown; expected control, data, volume, registration, gui or support; did you mean "volume"?',
        ),
        ("role: volume,", "", "services[0].role: is missing"),
        ("signature: true", "signature: yes", "services[0].signature: 'yes' is neither true nor false"),
        ("ports: [9000, 9100-9200]", "ports: 9000", "services[0].ports: expected a list, there is '9000'"),
        ("ports: [9000, 9100-9200]", "ports: []", "services[0].ports: is empty; expected one at least"),
        ("{document: Firewalls}", "Firewalls", "source: expected a mapping, there is 'Firewalls'"),
        ("source: {document: Firewalls}", "source:", "source: expected a mapping, nothing is there"),
        ("main: [198", "site: [198", "networks.site: is the name of the networks that a site adds"),
        ("main: [198.51.100.0/24]", "main: []", "networks.main: is empty; expected a network at least"),
        (
            "[198.51.100.0/24]",
            "[198.51.100.0/24, 198.51.100.9]",
            "networks.main[1]: 198.51.100.9 meets a range before it",
        ),
        (
            "checked_by: [coverage]}",
            "checked_by: [coverage]}\n  - {id: port, what: x, section: x, checked_by: [export]}",
            "acme.yaml:11: statements[1].id: 'port' is there twice",
        ),
        ('version: "1"', 'version: "1"\nvalid_from: 2026-02-30', "valid_from: '2026-02-30' is no date"),
        (
            'version: "1"',
            'version: "1"\nvalid_from: 2026-02-03\nvalid_until: 2026-01-01',
            "valid_until: 2026-01-01 comes before",
        ),
        (
            "statement: port}",
            "statement: port, negotiated_by: control}",
            "this pack has no service with the role 'control'",
        ),
    ],
)
def test_a_wrong_pack_is_told_what_was_expected(old: str, new: str, message: str) -> None:
    assert old in ACME
    (found,) = errors_of(ACME.replace(old, new))
    assert message in found


@pytest.mark.parametrize(
    ("text", "there"), [("", "nothing"), ("# only a comment\n", "nothing"), ("- a\n", "a list"), ("text\n", "text")]
)
def test_a_file_without_a_mapping_is_told(text: str, there: str) -> None:
    assert errors_of(text) == [f"acme.yaml:1: expected a mapping of keys and values, there is {there}"]


def test_every_pack_is_on_without_a_choice_and_a_choice_overrides_the_site(acme: Path) -> None:
    everything = [pack.id for pack in shipped_packs()]
    site = Site(packs={"securidata": PackOptions()})
    assert [enabled.id for enabled in enable(None)] == everything == sorted(everything)
    assert [enabled.id for enabled in enable(site)] == ["securidata"]
    assert [enabled.id for enabled in enable(site, [str(acme), "drbackup", "drbackup"])] == ["acme", "drbackup"]


def test_two_different_packs_with_one_id_cannot_be_chosen_together(tmp_path: Path) -> None:
    text = (RULES / "drbackup.yaml").read_text(encoding="utf-8").replace('version: "1"', 'version: "2"')
    (tmp_path / "new.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(AuditorError, match="two different rule packs are called 'drbackup'"):
        choose_packs(None, ["drbackup", str(tmp_path / "new.yaml")])


def test_what_the_site_adds_is_a_group_of_its_own() -> None:
    options = PackOptions(
        networks=(parse_range("203.0.113.0/28"),),
        registration_servers=(parse_range("203.0.113.2"), parse_range("198.51.100.7")),
    )
    site = Site(packs={"securidata": options, "drbackup": PackOptions()})
    drbackup, securidata = enable(site)
    assert list(drbackup.networks) == ["cluster", "support"]
    assert [str(item) for item in securidata.networks[SITE_GROUP]] == ["203.0.113.0/28", "198.51.100.7"]


def test_the_first_statement_that_a_pack_has_is_found() -> None:
    pack = find_pack("securidata")
    found = pack.statement("tcp-only", "ports", "conflict")
    assert found is not None
    assert found.id == "ports"
    assert pack.statement("tcp-only") is None


def changed(pack: RulePack, **changes: object) -> RulePack:
    return replace(pack, **changes)  # type: ignore[arg-type]


def test_the_shipped_packs_are_right_together_and_their_clash_is_a_note() -> None:
    verdict = check_rules()
    assert verdict.valid, verdict.errors
    assert len(verdict.packs) == len(shipped_packs())
    assert any("16384/tcp is a signature port of backup-direct, connected-backup and" in note for note in verdict.notes)


def test_a_statement_that_nothing_judges_is_an_error() -> None:
    pack = find_pack("drbackup")
    statement = replace(pack.statements[0], checked_by=("udp-used", "export"))
    (error,) = [remark for remark in check_packs([changed(pack, statements=(statement,))]) if remark.error]
    assert error.message == "no check 'udp-used'; did you mean \"udp-use\"?"


def test_one_id_twice_is_an_error_and_shared_networks_are_a_note() -> None:
    pack = find_pack("drbackup")
    remarks = check_packs([pack, pack, changed(pack, id="other")])
    assert [remark.pack for remark in remarks if remark.error] == ["drbackup"]
    assert any("meets a network of other" in remark.message for remark in remarks)


def test_a_pack_that_nothing_can_belong_to_is_noted() -> None:
    pack = find_pack("securidata")
    quiet = changed(pack, services=tuple(replace(service, signature=False) for service in pack.services))
    assert any("neither networks nor a signature port" in remark.message for remark in check_packs([quiet]))


def test_rules_check_tells_the_errors_of_every_file(acme: Path) -> None:
    broken = acme.with_name("broken.yaml")
    broken.write_text("id: x\n")
    verdict = check_rules([str(acme), str(broken), "drbackpu"])
    assert verdict.packs == ("acme",)
    assert any("broken.yaml:1: title: is missing" in error for error in verdict.errors)
    assert any('did you mean "drbackup"' in error for error in verdict.errors)


def test_rules_list_and_show_keep_the_vendors_form() -> None:
    rows = {row.id: row for row in list_packs()}
    assert rows["drbackup"].ports == "21, 211, 20000-60000, 8008, 443"
    assert rows["drbackup"].networks == "66.241.7.1-66.241.7.30, 96.231.233.4"
    assert show_pack("drbackup")["networks"]["cluster"] == ["66.241.7.1-66.241.7.30"]


def test_the_schemas_accept_what_is_shipped_and_refuse_what_the_program_refuses() -> None:
    import json

    import yaml
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(json.loads(schema("rule-pack")))
    Draft202012Validator.check_schema(json.loads(schema("site")))
    for file in RULES.glob("*.yaml"):
        validator.validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    assert validator.is_valid(yaml.safe_load(ACME))
    for old, new in [("title:", "titel:"), ("9000", "70000"), ("role: volume", "role: x"), ("id: acme", "id: Acme!")]:
        assert not validator.is_valid(yaml.safe_load(ACME.replace(old, new)))
