"""The command group: its commands, its exit statuses, and the commands that other packages plug in.

Commands that need NumPy come from the entry-point group ``shapeplan.commands``. They are loaded only when
called, so that checking a spec never pays for them.
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

# All objects left at exit die with the process. A last garbage collection would take longer than a small check.
atexit.register(gc.freeze)

GROUP = "shapeplan.commands"

OWN = {
    "check": ("planner.cli.check", "Check specs: report findings and accepted sizes."),
    "show": ("planner.cli.show", "Print a table of layers: output, parameters, MACs, memory."),
    "explain": ("planner.cli.explain", "Explain how a size is computed, or what a rule means."),
    "solve": ("planner.cli.solve", "Find accepted sizes, or the sizes and settings that reach a goal."),
    "draw": ("planner.cli.draw", "Draw a diagram as SVG, PNG, PDF or DOT."),
    "zoo": ("planner.cli.zoo", "List known networks."),
    "init": ("planner.cli.init", "Print the spec of a known network to start from."),
    "schema": ("planner.cli.schema", "Print the JSON Schema of specs, for editors."),
    "doctor": ("planner.cli.doctor", "Print versions, drawing engine and BLAS, for bug reports."),
}
"""Commands of the planner: the module and the line in the help."""

PLUGGED = {
    "train": "Train a network.",
    "evaluate": "Measure loss and accuracy of trained weights.",
    "predict": "Print the outputs of trained weights for images.",
    "fuse": "Fold batch norm into the preceding weights, for inference.",
    "demo": "Take the tour: check, draw, train, evaluate.",
}
"""Help lines of plugged-in commands, so that the list needs no imports."""


class Commands(click.Group):
    """A group of commands that are imported when called; also decides the exit status."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        for name, (module, line) in OWN.items():
            self.add_command(LazyCommand(name, module, line))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return every name, those of the planner first."""
        plugged = {point.name for point in entry_points(group=GROUP)}
        return [*OWN, *(name for name in PLUGGED if name in plugged), *sorted(plugged - set(PLUGGED) - set(OWN))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, importing its module."""
        known = self.commands.get(cmd_name)
        if isinstance(known, LazyCommand):
            return known.load()
        for point in entry_points(group=GROUP, name=cmd_name):
            return _load_plugin(point)
        if cmd_name in PLUGGED:
            raise click.ClickException(f"`{cmd_name}` comes with the installed package: pip install shapeplan")
        return known

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command for the arguments; for an unknown one, suggest the nearest name."""
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
            with formatter.section("Commands that need NumPy"):
                formatter.write_dl(others)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command and exit: 0 no findings, 1 findings, 2 usage error or internal error, 130 Ctrl-C."""
        with quietly(), InternalErrors(), _fewer_collections():
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
        """Run a command; report errors of the planner as findings, and accept a pipe that is closed early."""
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


class LazyCommand(click.Command):
    """A command that is imported when it is called."""

    def __init__(self, name: str, module: str, line: str) -> None:
        super().__init__(name, short_help=line)
        self.module = module

    def load(self) -> click.Command:
        """Import the module and return its command."""
        found = import_module(self.module).command
        assert isinstance(found, click.Command)
        return found


class InternalErrors:
    """A context that turns an unexpected exception into a request to report it, and exits with status 2."""

    def __enter__(self) -> None:
        """Enter the context."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Report an exception that is neither an exit nor an interrupt."""
        if error is None or not isinstance(error, Exception):
            return
        import traceback

        message("".join(traceback.format_exception(kind, error, trace)))
        message("shapeplan: internal error, not a mistake in your spec; please report it with the traceback above\n")
        raise SystemExit(MISUSE) from error


@contextmanager
def _fewer_collections() -> Iterator[None]:
    """Collect garbage after 10,000 new objects instead of 700: imports create many, and nearly all of them stay."""
    before = gc.get_threshold()
    gc.set_threshold(10_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def entry_points(*, group: str, name: str = "") -> EntryPoints:
    """Return installed entry points. Imports importlib.metadata only here, because few commands need it."""
    from importlib import metadata

    found = metadata.entry_points(group=group)
    return found.select(name=name) if name else found


def _load_plugin(point: EntryPoint) -> click.Command:
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
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def main() -> None:
    """Check, plan and run convolutional networks, with every size as a formula before anything is trained.

    SPEC is a YAML or JSON file, or `-` for standard input. Exit status: 0 no findings, 1 findings, 2 usage error.
    """
