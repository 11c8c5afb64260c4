#!/usr/bin/env python3
"""`auditor` with its ears on or off: alike in all else, but with them off the engine is asked to read no payload.

    python benchmarks/ears.py on|off audit CAPTURE …

What is spared without them is what the parsers cost; `ratio.py --ears` measures it.
"""

from __future__ import annotations

import sys

from auditor import scan
from auditor.__main__ import main

if sys.argv.pop(1) == "off":
    start = scan._start
    scan._start = lambda paths, options: start(paths, options._replace(listening=None))

sys.exit(main())
