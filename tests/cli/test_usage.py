"""What the program answers to help requests and to mistakes."""

from __future__ import annotations

import os

import pytest
from program import VIOLATING, python, run

COMMANDS = (
    "audit",
    "compare",
    "explain",
    "extract",
    "flows",
    "report",
    "status",
    "systemd",
    "verify",
    "watch",
    "whatif",
    "windows",
    "version",
    "rules",
    "rules list",
    "rules show",
    "rules check",
    "rules schema",
)
MISTAKES = [
    (),
    ("adit", "x.pcap"),
    ("audit",),
    ("audit", "x.pcap", "--fromat", "json"),
    ("audit", "x.pcap", "--format", "papyrus"),
    ("audit", "x.pcap", "--fail-on", "awful"),
    ("audit", "x.pcap", "--threads", "0"),
    ("audit", "x.pcap", "--threads", "many"),
    ("audit", "x.pcap", "--format"),
    ("flows", "x.pcap", "--format", "papyrus"),
    ("compare", "x.pcap"),
    ("extract", "x.pcap"),
    ("whatif", "x.pcap", "--format", "papyrus"),
    ("report", "--notebook", "tour"),
    ("rules", "shwo"),
    ("rules", "show"),
]
LOADED = """
import sys
from auditor.cli._main import run
code = run(sys.argv[1:])
print(code, *sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize("words", MISTAKES, ids=" ".join)
def test_a_mistake_is_exit_2_with_an_example_on_standard_error(words: tuple[str, ...]) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "auditor: error: " in done.stderr
    assert "Example:\n  auditor " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_mistyped_command_is_corrected() -> None:
    assert "Did you mean 'audit'?" in run("aduit", "x.pcap").stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_page_shows_an_example(command: str) -> None:
    done = run(*command.split(), "--help")
    assert done.returncode == 0
    assert f"auditor {command}" in done.stdout.partition("Example:")[2]
    assert done.stderr == ""


def test_help_lists_all_commands_and_the_exit_codes() -> None:
    page = run("--help").stdout
    assert all(
        f"\n  {command} " in page
        for command in ("audit", "compare", "explain", "extract", "flows", "report", "rules", "version", "whatif")
    )
    assert all(f"\n    {code}  " in page for code in range(4))


def test_help_imports_nothing_heavy() -> None:
    code, *loaded = python(LOADED, "--help").stderr.split()
    assert code == "0"
    assert not {"pandas", "numpy", "scapy", "rich", "pydantic", "yaml", "auditor._engine"} & set(loaded)


@pytest.mark.parametrize("command", ["audit", "flows"])
def test_a_plain_call_imports_neither_pandas_nor_typer_nor_a_validator(command: str) -> None:
    code, *loaded = python(LOADED, command, VIOLATING, "--format", "json", "-o", "/dev/null").stderr.split()
    assert code in ("0", "1")
    assert not {"pandas", "typer", "rich", "pydantic", "yaml", "scapy", "pyshark"} & set(loaded)


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version_is_one_line(option: str) -> None:
    assert run(option).stdout == run("version").stdout
    assert run(option).stdout.startswith("auditor 0.")


def test_the_shell_completes_commands_formats_and_checks() -> None:
    def offered(*words: str) -> list[str]:
        line = " ".join(["auditor", *words])
        done = run(_AUDITOR_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words)))
        return done.stdout.split()

    assert offered("fl") == ["flows"]
    assert offered("audit", "--format", "js") == ["json", "jsonl"]
    assert offered("explain", "udp") == ["udp-use"]
    assert "drbackup" in offered("rules", "show", "dr")


def test_explain_prints_the_documentation_of_a_check() -> None:
    page = run("explain", "udp-use")
    assert page.returncode == 0
    assert all(
        heading in page.stdout for heading in ("What it finds", "Why it matters", "Stays silent", "Published by")
    )


def test_explain_without_a_name_lists_the_checks() -> None:
    assert "udp-use" in run("explain").stdout


def test_explain_knows_what_was_meant() -> None:
    done = run("explain", "udp-used")
    assert done.returncode == 2
    assert 'did you mean "udp-use"?' in done.stderr


def test_rules_check_shows_every_error_with_its_line(tmp_path) -> None:
    pack = tmp_path / "acme.yaml"
    pack.write_text("id: acme\ntitle: Acme\ncolour: red\nservices: []\n")
    done = run("rules", "check", pack)
    assert done.returncode == 2
    assert f"{pack}:3: colour" in done.stderr
    assert done.stderr.count(str(pack)) >= 2
    assert run("rules", "check").returncode == 0


def test_rules_show_and_list_speak_json_too() -> None:
    import json

    assert {pack["id"] for pack in json.loads(run("rules", "list", "--format", "json").stdout)} >= {"drbackup"}
    assert json.loads(run("rules", "show", "drbackup", "--format", "json").stdout)["id"] == "drbackup"
    assert json.loads(run("rules", "schema").stdout)["type"] == "object"


def test_a_table_costs_nothing_of_what_other_reports_need() -> None:
    code, *loaded = python(LOADED, "audit", VIOLATING).stderr.split()
    assert code == "1"
    ours = {
        f"auditor.{name}" for name in ("page", "plots", "manifest", "digests", "rulefiles", "rulelines", "reports.html")
    }
    assert not {"matplotlib", "pyarrow", "html", "xml.sax", *ours} & set(loaded)


def test_a_json_report_costs_neither_plots_nor_pages() -> None:
    code, *loaded = python(LOADED, "audit", VIOLATING, "--format", "json", "-o", "/dev/null").stderr.split()
    assert code == "1"
    assert not {"matplotlib", "pyarrow", "auditor.page", "auditor.plots", "auditor.reports.html"} & set(loaded)


def test_an_audit_imports_nothing_of_what_a_watch_needs() -> None:
    code = (
        "import sys\nfrom auditor.cli._main import run\n"
        f"run(['audit', {str(VIOLATING)!r}, '--format', 'json', '-o', {os.devnull!r}])\n"
        "heavy = {'sqlalchemy', 'alembic', 'psycopg', 'pyarrow', 'smtplib', 'ssl', 'http'}\n"
        "ours = ('auditor.sinks', 'auditor.delivery', 'auditor.store', 'auditor.monitor', 'auditor.watch')\n"
        "print(sorted(name for name in sys.modules if name in heavy or name.startswith(ours)))\n"
    )
    done = python(code)
    assert (done.stdout, done.stderr) == ("[]\n", "")
