"""The command group: which commands there are, how they end, and the ones other packages plug in.

Commands that need NumPy come from the entry-point group ``shapeplan.commands`` and are loaded only when
they are called, so that checking a spec never pays for them.
"""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

from planner.cli.console import CLEAN, FINDINGS, message
from planner.cli.ending import INTERRUPTED, MISUSE, quietly, unwritable

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint, EntryPoints

# What is there at the end goes with the process. Looking for cycles in it once more takes longer than a small check.
atexit.register(gc.freeze)

GROUP = "shapeplan.commands"

OWN = {
    "check": ("planner.cli.check", "Find what is wrong, and which sizes are accepted."),
    "show": ("planner.cli.show", "Table of layers: output, parameters, MACs, memory."),
    "explain": ("planner.cli.explain", "Where a size comes from, or what a rule means."),
    "solve": ("planner.cli.solve", "Accepted sizes, and sizes or settings for what is wanted."),
    "draw": ("planner.cli.draw", "Draw a diagram: svg, png, pdf or dot."),
    "zoo": ("planner.cli.zoo", "List known networks."),
    "init": ("planner.cli.init", "Print the spec of a known network, to begin with."),
    "schema": ("planner.cli.schema", "Print the JSON Schema of specs, for editors."),
    "doctor": ("planner.cli.doctor", "Versions, drawing engine, BLAS."),
}
"""Commands of the planner: module, and the line in the help."""

PLUGGED = {
    "train": "Train a network.",
    "evaluate": "Loss and accuracy of trained weights.",
    "predict": "Outputs of trained weights.",
    "fuse": "Batch norm within the weights before it, for inference.",
    "demo": "The tour: check, draw, train, evaluate.",
}
"""Help of plugged-in commands that is known without loading them."""


class Commands(click.Group):
    """Commands that are imported when they are called, and the ways a run can end."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        for name, (module, line) in OWN.items():
            self.add_command(Waiting(name, module, line))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return every name, our own first."""
        plugged = {point.name for point in entry_points(group=GROUP)}
        return [*OWN, *(name for name in PLUGGED if name in plugged), *sorted(plugged - set(PLUGGED) - set(OWN))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, loading the module that holds it."""
        known = self.commands.get(cmd_name)
        if isinstance(known, Waiting):
            return known.load()
        for point in entry_points(group=GROUP, name=cmd_name):
            return _plugged(point)
        if cmd_name in PLUGGED:
            raise click.ClickException(f"`{cmd_name}` comes with the installed package: pip install shapeplan")
        return known

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command for the arguments; an unknown one is told with the nearest name."""
        name = args[0] if args else ""
        if args and not name.startswith("-") and self.get_command(ctx, name) is None:
            from planner.findings import nearest

            close = nearest(name, self.list_commands(ctx))
            hint = f" Did you mean `{close}`?" if close else ""
            raise click.UsageError(f"there is no command `{name}`.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without loading any of them."""
        names = self.list_commands(ctx)
        rows = [(name, line) for name, (_, line) in OWN.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
        others = [(name, PLUGGED.get(name, "")) for name in names if name not in OWN]
        if others:
            with formatter.section("With NumPy"):
                formatter.write_dl(others)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command and end the process: 0 clean, 1 findings, 2 misuse or a fault of our own, 130 Ctrl-C."""
        with quietly(), FaultOfOurs(), _fewer_collections():
            try:
                status = super().main(args, prog_name or "shapeplan", complete_var, standalone_mode=False, **extra)
            except click.ClickException as error:
                error.show()
                status = error.exit_code if isinstance(error, click.UsageError) else MISUSE
            except click.Abort:
                message("interrupted\n")
                status = INTERRUPTED
            except OSError as error:
                status = unwritable(error)
                if status is None:
                    raise
        if not standalone_mode:
            return status
        sys.exit(status if isinstance(status, int) else 0)

    def invoke(self, ctx: click.Context) -> None:
        """Run a command; errors of the planner are told as findings, and a reader may leave early."""
        from planner.findings import PlannerError

        try:
            super().invoke(ctx)
            if sys.stdout is not None:
                sys.stdout.flush()
        except PlannerError as error:
            from planner.cli.console import colour
            from planner.diagnostics.render import render

            message(render(error.findings, {}, "full", colour(sys.stderr)))
            raise click.exceptions.Exit(FINDINGS) from None
        except BrokenPipeError as error:  # which click would end with status 1
            raise click.exceptions.Exit(unwritable(error) or CLEAN) from None


class Waiting(click.Command):
    """A command whose module has not been imported yet."""

    def __init__(self, name: str, module: str, line: str) -> None:
        super().__init__(name, short_help=line)
        self.module = module

    def load(self) -> click.Command:
        """Return the command itself."""
        found = import_module(self.module).command
        assert isinstance(found, click.Command)
        return found


class FaultOfOurs:
    """Ends the process with status 2 and a plea to report it where something fails that is nobody's mistake."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Report anything but the orderly ways to end."""
        if error is None or not isinstance(error, Exception):
            return
        import traceback

        message("".join(traceback.format_exception(kind, error, trace)))
        message("shapeplan: this is a fault of ours, not of your spec; please report it with the text above\n")
        raise SystemExit(MISUSE) from error


@contextmanager
def _fewer_collections() -> Iterator[None]:
    """Collect garbage after 10,000 new objects instead of 700: imports make many, and nearly all of them stay."""
    before = gc.get_threshold()
    gc.set_threshold(10_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def entry_points(*, group: str, name: str = "") -> EntryPoints:
    """Return installed entry points; importlib.metadata is imported here because few commands need it."""
    from importlib import metadata

    found = metadata.entry_points(group=group)
    return found.select(name=name) if name else found


def _plugged(point: EntryPoint) -> click.Command:
    try:
        found = point.load()
    except ImportError as error:
        words = f"`{point.name}` cannot be loaded: {error}; try  pip install 'shapeplan[all]'"
        raise click.ClickException(words) from error
    if not isinstance(found, click.Command):
        raise click.ClickException(f"`{point.name}` from {point.value} is not a command")
    return found


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib import metadata

        try:
            number = metadata.version("shapeplan")
        except metadata.PackageNotFoundError:
            number = "(not installed)"
        click.echo(f"shapeplan {number}")
        ctx.exit()


@click.group(
    "shapeplan", cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Print the version."
)
def main() -> None:
    """Check, plan and run convolutional networks: every size as a formula, before anything is trained.

    Status: 0 clean, 1 findings, 2 misuse. SPEC is a YAML or JSON file, `-` is standard input.
    """
