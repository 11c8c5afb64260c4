"""`auditor report`: a notebook, run and written as HTML."""

from collections.abc import Sequence
from typing import Annotated

from auditor import outputs
from auditor.cli._option import Option

SUFFIXES = {"html": (".html", ".htm")}


def notebook_names() -> Sequence[str]:
    """The shipped notebooks, for the shell's completion."""
    from auditor.notebookrun import shipped

    return shipped()


def run(
    *,
    notebook: Annotated[str, Option("Name of a shipped notebook, or a file.", "NAME|FILE", complete=notebook_names)],
    output: Annotated[str, Option("Write there.", "FILE", short="-o")],
    parameter: Annotated[
        tuple[str, ...], Option("Set a parameter of the notebook. May be repeated.", "NAME=VALUE", short="-p")
    ] = (),
    code: Annotated[bool, Option("Show the code as well.")] = False,
) -> int:
    """Run a notebook and write it as one HTML page, which needs no script and fetches nothing.

    Parameters are those of the notebook's cell that has the tag `parameters`, as papermill knows it. Shipped are
    `change_review` (before, after, site) and `tour`.

    Example:
      auditor report --notebook change_review -p before=monday.pcapng -p after=tuesday.pcapng -o change.html
    """
    from auditor.notebookrun import parse_parameter, run_notebook

    parameters = dict(map(parse_parameter, parameter))
    [target] = outputs.plan([output], None, lambda _: SUFFIXES, inputs=[str(value) for value in parameters.values()])
    page = run_notebook(notebook, parameters, code=code)
    with target.open() as stream:
        stream.write(page)
    return 0
