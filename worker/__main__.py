"""``python -m worker``: every command except ``serve``, which needs the web page."""

import sys

from worker.cli.program import commands, run

sys.exit(run(commands))
