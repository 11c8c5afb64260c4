"""A notebook as a report: run with parameters, as papermill does, and written as one HTML page.

A notebook names its parameters in a cell with the tag `parameters`; the values given are set in a cell behind it. It
runs in a kernel of its own, in the folder of whoever asks. The page needs no script and fetches nothing.

Needs nbclient, nbconvert and ipykernel (the extra `notebook`).
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

from auditor.errors import AuditorError
from auditor.words import did_you_mean

NOTEBOOKS = Path(__file__).parent / "notebooks"
TAG, INJECTED = "parameters", "injected-parameters"  # papermill's
SECONDS = 600  # longest time of one cell: an audit of a large capture is among them
KERNEL = "python3"
LONGEST_FOLDER = 40  # characters: names of sockets may have 107, and Jupyter's are long
# Where Jupyter and IPython would leave files in the home of whoever asks.
FOLDERS = ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "MPLCONFIGDIR")
STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-size: .85rem; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); padding: .25rem .5rem;
  text-align: left; vertical-align: top; }
pre { overflow-x: auto; padding: .5rem; background: color-mix(in srgb, currentColor 7%, transparent); }
img, svg { max-width: 100%; height: auto; background: #fff; }
.jp-InputPrompt, .jp-OutputPrompt, .prompt, .anchor-link { display: none; }
@media print { body { max-width: none; margin: 0; } table { display: table; } }
"""


def shipped() -> list[str]:
    """Names of the notebooks that come with the program."""
    return sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))


def run_notebook(notebook: str, parameters: Mapping[str, Any], *, code: bool = False) -> str:
    """Run a notebook, by its name or file, and give the page. `code`: show the cells' code too.

    Raises: AuditorError for an unknown notebook or parameter, or where a cell fails.
    """
    path = _path(notebook)
    nbformat, nbclient, exporter_of = _jupyter()
    try:
        book = nbformat.read(path, as_version=4)
    except Exception as error:  # it raises whatever its JSON and schema readers raise
        raise AuditorError(f"{path}: is no notebook: {error}") from None
    _inject(book, parameters, str(path), nbformat.v4.new_code_cell)
    with _no_litter() as folder:
        client = nbclient.NotebookClient(
            book,
            timeout=SECONDS,
            kernel_name=KERNEL,
            resources={"metadata": {"path": os.getcwd()}},
            # ours want the auditor that runs them, whatever folder of that name they are run beside
            extra_arguments=["--IPKernelApp.ignore_cwd=True"] if path.parent == NOTEBOOKS else [],
        )
        client.create_kernel_manager()
        if len(folder) <= LONGEST_FOLDER:
            client.km.transport = "ipc"  # sockets of ours alone, rather than ports that anybody here may reach
        endings = _counted(client)
        try:
            client.execute(stderr=subprocess.DEVNULL)
        except Exception as error:  # whatever a cell or the kernel raises: `_failure` tells all of it
            if len(endings) > 1:  # told to stop, nbclient ends the kernel, and then fails in one way or another
                raise KeyboardInterrupt from None
            raise _failure(error, path, nbclient) from None
    exporter = exporter_of(template_name="basic", exclude_input=not code, exclude_anchor_links=True)
    body, _ = exporter.from_notebook_node(book)
    return _page(_title(book) or path.stem, body)


def parse_parameter(text: str) -> tuple[str, Any]:
    """`name=value`; numbers, true, false and null as in JSON, anything else as text. Raises: AuditorError."""
    name, separator, value = text.partition("=")
    if not separator or not name.isidentifier():
        raise AuditorError(f"-p {text}: is no parameter", help="expected name=value, e.g. -p before=monday.pcapng")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def _path(notebook: str) -> Path:
    if notebook.endswith(".ipynb"):
        if not os.path.isfile(notebook):
            raise AuditorError(f"{notebook}: there is no such notebook")
        return Path(notebook)
    if notebook not in shipped():
        raise AuditorError(
            f"there is no notebook {notebook!r}{did_you_mean(notebook, shipped())}",
            help=f"there are {', '.join(shipped())}; or give a file that ends in .ipynb",
        )
    return NOTEBOOKS / f"{notebook}.ipynb"


def _jupyter() -> tuple[Any, Any, Any]:
    try:
        import ipykernel  # noqa: F401  # the kernel runs as a program of its own
        import nbclient
        import nbformat
        from nbconvert import HTMLExporter
    except ImportError as error:
        raise AuditorError(
            f"notebooks need {error.name}, which is not installed", help="pip install 'auditor[notebook]'"
        ) from None
    return nbformat, nbclient, HTMLExporter


def _inject(book: Any, parameters: Mapping[str, Any], path: str, new_cell: Callable[..., Any]) -> None:
    """Set the parameters behind the cell that names them."""
    if not parameters:
        return
    place = next((n for n, cell in enumerate(book.cells) if TAG in cell.metadata.get("tags", ())), None)
    if place is None:
        raise AuditorError(f"{path}: has no cell with the tag {TAG!r}, so it takes no parameters")
    known = [
        target.id
        for statement in ast.parse(book.cells[place].source).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    ]
    unknown = [name for name in parameters if name not in known]
    if unknown:
        raise AuditorError(
            f"-p {unknown[0]}: {path} has no such parameter{did_you_mean(unknown[0], known)}",
            help=f"it has {', '.join(known)}",
        )
    source = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    cell = new_cell(source, metadata={"tags": [INJECTED]})
    book.cells.insert(place + 1, cell)


def _counted(client: Any) -> list[None]:
    """Grows each time the client ends its kernel: once at the end, and whenever it is told to stop by a signal."""
    endings: list[None] = []
    end = client._async_cleanup_kernel

    def ending() -> Any:
        endings.append(None)
        return end()

    client._async_cleanup_kernel = ending
    return endings


def _failure(error: Exception, path: Path, nbclient: Any) -> Exception:
    """What to tell the user of it; a bug of ours stays what it is."""
    if isinstance(error, nbclient.exceptions.CellExecutionError):
        return AuditorError(f"{path}: a cell failed: {_cause(error)}")
    if isinstance(error, RuntimeError | TimeoutError):  # of nbclient and jupyter_client: no kernel, or a stuck one
        return AuditorError(f"{path}: could not be run: {error}")
    return error


@contextmanager
def _no_litter() -> Iterator[str]:
    """Let Jupyter write its files where they go away again: the folder."""
    before = {name: os.environ.get(name) for name in FOLDERS}
    with tempfile.TemporaryDirectory(prefix="auditor-", ignore_cleanup_errors=True) as folder:
        os.environ |= dict.fromkeys(FOLDERS, folder)
        try:
            yield folder
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def _cause(error: Any) -> str:
    """The last line of what the cell raised: ours say what to do."""
    return f"{getattr(error, 'ename', type(error).__name__)}: {getattr(error, 'evalue', error)}"


def _title(book: Any) -> str:
    for cell in book.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("# "):
            return str(cell.source.splitlines()[0][2:])
    return ""


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body><main>\n{body}\n</main></body></html>\n"
    )
