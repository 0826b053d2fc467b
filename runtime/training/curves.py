"""Plots of the loss and accuracy of a run, as SVG or PNG."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.findings import PlannerError
from runtime.files import write_whole
from runtime.training.history import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, GRID = "#1B2430", "#D5DAE1"
TRAINING, VALIDATION = "#355AB0", "#B5541C"
FORMATS = ("svg", "png")


def draw(history: History, path: str | Path, title: str = "") -> Path:
    """Plot the loss and, if measured, the accuracy of a run; return the path of the picture.

    The loss is on the left, the accuracy on the right. The file is written atomically.

    Raises
    ------
    planner.PlannerError
        R508: the suffix is neither .svg nor .png, the history is empty, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     draw(History([{"epoch": 1, "loss": 0.5}]), Path(folder) / "curves.svg").name
    'curves.svg'
    """
    path = Path(path)
    kind = path.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise PlannerError.of("R508", f"curves can be drawn as .svg or .png, not `{path.name}`")
    if not history.rows:
        raise PlannerError.of("R508", "there are no curves yet: no epoch is complete")
    write_whole(path, _picture(history, kind, title))
    return path


def _picture(history: History, kind: str, title: str) -> bytes:
    # matplotlib is slow to import. A Figure without pyplot needs no display and no global state.
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    panels = [name for name in ("loss", "accuracy") if name in history.columns]
    style: Any = {  # matplotlib types its keys one by one
        "font.size": 10.0, "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK,
        "svg.hashsalt": "shapeplan", "svg.fonttype": "none",
    }  # fmt: skip
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(4.6 * len(panels), 3.4), layout="constrained", facecolor="white")
        FigureCanvasAgg(figure)
        for axes, name in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            _panel(axes, history, name)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            if name == "accuracy":
                axes.yaxis.set_major_formatter(PercentFormatter(xmax=1.0))
        if title:
            figure.suptitle(title, fontweight="bold")
        out = io.BytesIO()
        # Without the date, the same run gives the same file.
        figure.savefig(out, format=kind, dpi=144, metadata={"Date": None} if kind == "svg" else None)
    return out.getvalue()


def _panel(axes: Axes, history: History, name: str) -> None:
    lines = ((name, "training", TRAINING, "o"), (f"val_{name}", "validation", VALIDATION, "s"))
    for column, label, colour, mark in lines:
        if column in history.columns:
            points = [(row["epoch"], row[column]) for row in history.rows if column in row]
            epochs, values = zip(*points, strict=True)
            axes.plot(epochs, values, color=colour, label=label, linewidth=1.8, marker=mark, markersize=3.5)
    axes.set_xlabel("epoch")
    axes.set_ylabel(name)
    axes.grid(color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if len(axes.lines) > 1:
        axes.legend(frameon=False)
