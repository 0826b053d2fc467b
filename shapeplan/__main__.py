"""Run the command `shapeplan` as `python -m shapeplan`."""

import sys

from shapeplan._names import ours

try:
    ours("planner")
except ImportError as error:
    sys.stderr.write(f"error: {error}\n")
    sys.exit(2)

from planner.cli import main

main(prog_name="shapeplan")
