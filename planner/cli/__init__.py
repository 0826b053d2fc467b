"""The command `shapeplan`: one module a command, none of which computes anything itself.

``main`` is imported when it is asked for, so that Ctrl-C during the imports ends as quietly as later on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.cli.commands import main as main
else:

    def __getattr__(name: str) -> object:
        if name != "main":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from planner.cli.ending import quietly

        with quietly():
            from planner.cli.commands import main
        return main
