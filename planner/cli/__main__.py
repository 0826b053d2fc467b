"""`python -m planner.cli` is `shapeplan`."""

from planner.cli import main

main(prog_name="shapeplan")
