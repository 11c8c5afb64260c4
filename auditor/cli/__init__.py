"""The command line: one file per command, found by looking at this folder.

A command `name.py` is one function, `run` (or several, in `COMMANDS`): its annotations say how its arguments are
written, its docstring is the help, its result the exit code. Files that begin with an underscore are the machinery:
`_main` (exit codes, last line of defence), `_option` (how arguments are described), `_app` (Typer), `_plain` and
`_headstart` (calls that need no Typer, and begin to read before anything else), `_progress`.
"""
