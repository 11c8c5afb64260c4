"""The commands as Typer sees them. Only the one that is named is imported."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, cast, get_origin

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from auditor import discovery
from auditor.cli._option import Argument, Call, Option
from auditor.outputs import say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HELP = """
Audit network captures against what online-backup vendors publish about their traffic.

Results go to standard output, everything else to standard error.
"""

EXAMPLE = """\b
Example:
  auditor audit monday.pcapng --site site.yaml -o report.json

\b
Exit codes:
  0  clean
  1  findings at or above --fail-on
  2  usage, rule pack, site or input error
  3  nothing found, but the capture cannot carry a clean verdict
"""

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Commands(TyperGroup):
    """The files of this folder, each imported when it is named."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return discovery.ids("auditor.cli")

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        if cmd_name not in discovery.ids("auditor.cli"):
            return None
        module = import_module(f"auditor.cli.{cmd_name}")
        command = typer.main.get_command(_typer_of(module))
        command.name = cmd_name
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        self.commands = cast("dict[str, Any]", dict.fromkeys(discovery.ids("auditor.cli")))  # for "did you mean"
        return super().resolve_command(ctx, args)


def parse(arguments: Sequence[str]) -> Call | int:
    """The call that the arguments ask for, or an exit code where they asked for help, or wrongly."""
    program = _program()
    try:
        answer = program(list(arguments), prog_name="auditor", standalone_mode=False)
    except TyperException as error:
        return _usage_error(error, getattr(error, "ctx", None) or _context(program, arguments))
    except typer.Abort:
        raise KeyboardInterrupt from None
    except SystemExit as done:  # shell completion ends so
        return done.code if isinstance(done.code, int) else 0
    return answer if isinstance(answer, Call) else int(answer or 0)


def _program() -> Any:
    app = typer.Typer(cls=Commands, epilog=EXAMPLE, rich_markup_mode=None, context_settings=SETTINGS)
    app.callback(help=HELP)(_options_of_the_program)
    return typer.main.get_command(app)


def _context(command: Any, words: Sequence[str]) -> Any:
    """Where in the commands an error happened, as far as the words lead: Typer does not always say."""
    context = typer.Context(command, info_name="auditor")
    for word in words:
        named = command.get_command(context, word) if isinstance(command, TyperGroup) else None
        if named is None:
            break
        command, context = named, typer.Context(named, parent=context, info_name=word)
    return context


def _show_version(asked: bool) -> None:
    if asked:
        from auditor.cli.version import run

        raise typer.Exit(run())


VERSION = typer.Option("--version", "-V", help="Show the version and exit.", is_eager=True, callback=_show_version)


def _options_of_the_program(version: Annotated[bool, VERSION] = False) -> None:
    """Takes the options that stand before the command."""


def _typer_of(module: Any) -> typer.Typer:
    """A command file as a Typer application: one command, or a group where it has several (`COMMANDS`)."""
    settings: dict[str, Any] = {"rich_markup_mode": None, "add_completion": False, "context_settings": SETTINGS}
    if not hasattr(module, "COMMANDS"):
        app = typer.Typer(**settings)
        app.command(epilog=_example(module.run))(_declared(module.run))
        return app
    app = typer.Typer(**settings, help=inspect.getdoc(module), epilog=module.EXAMPLE)
    for name, run in module.COMMANDS.items():
        app.command(name, epilog=_example(run), context_settings=SETTINGS)(_declared(run))
    return app


def _split(run: Callable[..., int]) -> tuple[str, str]:
    text, _, example = inspect.getdoc(run).partition("Example:\n")  # type: ignore[union-attr]  # a test: all have one
    return text.strip(), example


def _example(run: Callable[..., int]) -> str:
    return "\b\nExample:\n" + _split(run)[1]


def _declared(run: Callable[..., int]) -> Callable[..., Call]:
    """`run` with its words as Typer's; calling it gives the `Call`."""

    def call(**values: Any) -> Call:
        return Call(run, {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})

    words = []
    for name, parameter in inspect.signature(run).parameters.items():
        plain, word = parameter.annotation.__origin__, parameter.annotation.__metadata__[0]
        default = parameter.default
        if get_origin(plain) is tuple:
            plain = list[str]
        default = [] if default == () else default
        words.append(parameter.replace(annotation=Annotated[plain, _typers(name, word, plain)], default=default))
    call.__signature__ = inspect.Signature(words)  # type: ignore[attr-defined]
    call.__annotations__ = {word.name: word.annotation for word in words}
    call.__doc__ = _split(run)[0]
    return call


def _typers(name: str, word: Argument | Option, plain: Any) -> Any:
    settings: dict[str, Any] = {"help": word.help, "metavar": word.metavar or None, "show_default": False}
    if word.complete is not None:
        settings["autocompletion"] = _completer(word.complete)
    if isinstance(word, Argument):
        return typer.Argument(**settings)
    names = ["--" + name.replace("_", "-")] + ([word.short] if word.short else [])
    if word.choices:
        settings |= {"callback": _one_of(word.choices), "autocompletion": _completer(lambda: word.choices)}
    if plain == int | None:
        settings["min"] = 1
    return typer.Option(*names, **settings)


def _one_of(choices: Sequence[str]) -> Callable[[str | None], str | None]:
    def check(value: str | None) -> str | None:
        if value is not None and value not in choices:
            raise typer.BadParameter(f"{value!r} is none of {', '.join(choices)}")
        return value

    return check


def _completer(offers: Callable[[], Sequence[str]]) -> Callable[[str], list[str]]:
    def complete(incomplete: str) -> list[str]:
        return [offer for offer in offers() if offer.startswith(incomplete)]

    return complete


def _usage_error(error: TyperException, context: Any) -> int:
    """Typer's message, the example of the command meant, and exit code 2."""
    example = (context.command.epilog or "").replace("\b\n", "").split("\n\n")[0].rstrip()
    message = f"auditor: error: {error.format_message()}"
    say("\n".join((context.get_usage(), message, example, f"More: {context.command_path} --help")))
    return 2
