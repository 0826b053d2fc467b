"""The `shapeplan` command line: one module per command. No module here computes anything.

``main`` is imported on first access, so that Ctrl-C during the imports exits as quietly as later on.
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
