"""`auditor version`: what is installed."""

import platform


def run() -> int:
    """Show the versions of the auditor and of what it runs on.

    Example:
      auditor version
    """
    from auditor._engine import __version__

    print(f"auditor {__version__} (Python {platform.python_version()}, {platform.system()} {platform.machine()})")
    return 0
