"""The command `shapeplan`: one module a command, none of which computes anything itself."""

from planner.cli.commands import main as main
