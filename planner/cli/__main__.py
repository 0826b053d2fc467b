"""`python -m planner.cli` is `shapeplan`."""

from planner.cli.commands import main

main(prog_name="shapeplan")
