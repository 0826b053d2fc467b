"""The metrics of a training run by epoch, and their JSON and CSV forms. For plots see `runtime.training.curves`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, float]
COLUMNS = (
    "epoch", "loss", "accuracy", "val_loss", "val_accuracy", "lr_first", "lr_last", "seconds", "images_per_second",
)  # fmt: skip
"""Columns in output order; a run has only those that it measured."""


@dataclass
class History:
    """The metrics of a run, one row per epoch.

    Attributes
    ----------
    rows : list of Mapping
        ``epoch`` counts from 1; ``loss`` and ``accuracy`` are means over the epoch while the weights
        change; ``val_...`` are measured after it; ``lr_first`` and ``lr_last`` are the learning rates of its
        first and last step. With several outputs, ``loss`` is the weighted sum of their losses, ``accuracy`` is that of
        the first output, and ``loss.NAME`` and ``accuracy.NAME`` are those of each output.
    interrupted : bool
        Whether Ctrl-C ended the run before its last epoch.

    Examples
    --------
    >>> history = History([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}])
    >>> history["loss"], history.last["loss"], history.columns
    ([0.5, 0.25], 0.25, ('epoch', 'loss'))
    """

    rows: list[Row] = field(default_factory=list)
    interrupted: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, column: str) -> list[float]:
        """Return one column; raise KeyError if the run did not measure it."""
        if column not in self.columns:
            raise KeyError(f"the run has no column {column!r}; it has {', '.join(self.columns) or 'none'}")
        return [row[column] for row in self.rows if column in row]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the measured columns."""
        known = {name: _place(name) for row in self.rows for name in row if _place(name) >= 0}
        return tuple(sorted(known, key=known.__getitem__))

    @property
    def last(self) -> Row:
        """Row of the last epoch; empty before the end of the first epoch."""
        return self.rows[-1] if self.rows else {}

    def to_dict(self) -> dict[str, Any]:
        """Return the history as plain values; :meth:`from_dict` restores an equal one."""
        return {"interrupted": self.interrupted, "epochs": [dict(row) for row in self.rows]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> History:
        """Return the history from the values of :meth:`to_dict`.

        Examples
        --------
        >>> history = History([{"epoch": 1, "loss": 0.1}])
        >>> History.from_dict(json.loads(history.to_json())) == history
        True
        """
        return cls([dict(row) for row in values["epochs"]], bool(values["interrupted"]))

    def to_json(self) -> str:
        """Return the history as JSON text."""
        return json.dumps(self.to_dict(), indent=2) + "\n"

    def to_csv(self) -> str:
        r"""Return the history as CSV text with a header.

        Examples
        --------
        >>> History([{"epoch": 1, "loss": 0.5}]).to_csv()
        'epoch,loss\n1,0.5\n'
        """
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, lineterminator="\n", restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(self.rows)
        return text.getvalue()


def _place(column: str) -> int:
    """Return the position of a column for sorting; -1 if it is unknown. Columns of one output share that of all."""
    name = column.partition(".")[0]
    return COLUMNS.index(name) if name in COLUMNS else -1
