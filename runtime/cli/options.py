"""Shared options and output of the commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

data_option = click.option(
    "--data", "source", default="digits", show_default=True, metavar="NAME|PATH",
    help="digits, mnist, fashion_mnist, a folder of IDX files, or an .npz file.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")

_FIT_OPTIONS = (
    click.option("--epochs", type=click.IntRange(1), help="Number of passes over the data; default: from the spec."),
    click.option("--batch", type=click.IntRange(1), help="Images per step; default: from the spec."),
    click.option("--lr", type=float, help="Learning rate; default: from the spec."),
    click.option("--optimizer", metavar="NAME", help="sgd, adam or adamw (default settings); default: from the spec."),
    click.option("--schedule", metavar="NAME", help="Learning rate: constant or cosine; default: from the spec."),
    click.option("--warmup", type=float, metavar="EPOCHS", help="Epochs of warmup; default: from the spec."),
    click.option("--loss", metavar="NAME", help="cross_entropy or mse; default: from the spec."),
)


def fit_options(command: Command) -> Command:
    """Add options for the arguments of :func:`runtime.training.train.fit` that a spec may set."""
    for option in reversed(_FIT_OPTIONS):
        command = option(command)
    return command


def say(text: str) -> None:
    """Print progress to stderr."""
    click.echo(text, err=True)


def score_text(key: str, value: float) -> str:
    """Format a score; accuracies become percentages."""
    return f"{value:.2%}" if key.partition(".")[0] == "accuracy" else f"{value:.4f}"


def print_result(result: Any, as_json: bool) -> None:
    """Print a result to stdout, as JSON or as plain text."""
    click.echo(json.dumps(result, indent=2) if as_json else result)
