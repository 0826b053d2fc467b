"""Output files of a training run: weights, checkpoint, curves and history."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

CHECKPOINT, WEIGHTS = "checkpoint.safetensors", "weights.safetensors"
MISSING_CURVES = "matplotlib is not installed; install it with  pip install 'shapeplan[train]'"


def can_draw_curves() -> bool:
    """Return whether matplotlib is installed, so that curves can be drawn."""
    return find_spec("matplotlib") is not None


def write_artifacts(model: Any, history: Any, folder: Path, title: str) -> dict[str, str]:
    """Write weights, curves and history to a folder, and return the paths by kind of file."""
    from runtime import weights
    from runtime.files import write_whole
    from runtime.training import curves

    files = {"weights": str(weights.save(model, folder / WEIGHTS))}
    if (folder / CHECKPOINT).exists():
        files["checkpoint"] = str(folder / CHECKPOINT)
    if history.rows:
        if can_draw_curves():
            files["curves"] = str(curves.draw(history, folder / "curves.svg", title))
        for kind, text in (("json", history.to_json()), ("csv", history.to_csv())):
            write_whole(folder / f"history.{kind}", text.encode())
            files[f"history_{kind}"] = str(folder / f"history.{kind}")
    return files


def file_list(files: Mapping[str, str]) -> list[str]:
    """Return one line for each kind of file, with its name and paths.

    Examples
    --------
    >>> file_list({"weights": "a/w.safetensors", "history_json": "a/history.json", "history_csv": "a/history.csv"})
    ['  weights  a/w.safetensors', '  history  a/history.json, history.csv']
    """
    by_name: dict[str, str] = {}
    for key, path in files.items():
        name = key.partition("_")[0]
        by_name[name] = f"{by_name[name]}, {Path(path).name}" if name in by_name else path
    width = max(map(len, by_name))
    return [f"  {name:<{width}}  {path}" for name, path in by_name.items()]


def new_folder(name: str) -> Path:
    """Return a path that does not exist yet, as the folder for the next run of a network."""
    plain = "".join(char if char.isalnum() or char in "-_." else "-" for char in name).strip(".") or "network"
    folder, number = Path("runs") / plain, 1
    while folder.exists():
        number += 1
        folder = Path("runs") / f"{plain}-{number}"
    return folder
