"""Weights on disk: safetensors files that contain the spec, so that a file is enough to rebuild its network.

A file holds every parameter and buffer under its name (``c1.weight``). Checkpoints also hold the optimizer's
arrays (``optimizer/0``). Files are written atomically, and loading one runs no code.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from planner.findings import Finding, PlannerError
from planner.plan.plan import BoundPlan
from runtime.files import refuse_unwritable, write_whole

Array = NDArray[Any]
FORMAT = "shapeplan-weights-1"
STATE = "optimizer/"
MOST_DIFFERENCES = 8


class WeightsError(PlannerError):
    """A weights file that cannot be read (R508), or that belongs to another network (R507)."""


class Stored(Protocol):
    """The parts of a model that are saved."""

    @property
    def bound(self) -> BoundPlan: ...
    @property
    def parameters(self) -> Mapping[str, Array]: ...
    @property
    def buffers(self) -> Mapping[str, Array]: ...


@dataclass(frozen=True)
class Saved:
    """The content of a weights file.

    Attributes
    ----------
    arrays : Mapping of str to array
        Parameters and buffers by name.
    state : tuple of array
        The optimizer's arrays; empty in a file of weights only.
    spec : str
        The network as the text of a spec file.
    sizes : Mapping of str to int
        The sizes that the plan was bound with.
    dtype : str
    training : Mapping or None
        State of the run, from which :func:`runtime.training.train.fit` can resume.
    """

    arrays: Mapping[str, Array]
    state: tuple[Array, ...]
    spec: str
    sizes: Mapping[str, int]
    dtype: str
    training: Mapping[str, Any] | None = None


def save(
    model: Stored,
    path: str | os.PathLike[str],
    *,
    state: Sequence[Array] = (),
    training: Mapping[str, Any] | None = None,
) -> Path:
    """Write a weights file and return its path; for `state` and `training` see :class:`Saved`.

    Raises
    ------
    planner.PlannerError
        R508: the file cannot be written; an existing file of that name is unchanged.
    """
    from safetensors.numpy import save as pack

    named = {**model.parameters, **model.buffers, **{f"{STATE}{i}": array for i, array in enumerate(state)}}
    bound = model.bound
    metadata = {
        "format": FORMAT,
        "name": bound.name,
        "spec": bound.spec,
        "sizes": json.dumps(dict(bound.sizes)),
        "dtype": bound.dtype,
    }
    if training is not None:
        metadata["training"] = json.dumps(training)
    # Arrays that are not in C order would be written in memory order, with the wrong shape.
    write_whole(Path(path), pack({name: np.ascontiguousarray(array) for name, array in named.items()}, metadata))
    return Path(path)


def refuse_unsavable(path: str | os.PathLike[str]) -> None:
    """Check that :func:`save` will be able to write a file, before anything expensive is computed.

    Raises
    ------
    planner.PlannerError
        R508: nothing can be written there; R512: the library is missing.
    """
    if find_spec("safetensors") is None:
        message = "saving weights needs safetensors, which is not installed"
        raise PlannerError.of("R512", message, fixes=("pip install safetensors",))
    refuse_unwritable(path)


def read(path: str | os.PathLike[str]) -> Saved:
    """Read a weights file.

    Raises
    ------
    WeightsError
        R508: there is no such file, it is damaged, or it was not written by :func:`save`.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            metadata = file.metadata() or {}
            # Copied, because the file may be replaced while its arrays are in use.
            arrays = {name: np.array(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except FileNotFoundError:
        raise WeightsError.of("R508", f"there is no weights file `{path}`") from None
    except (SafetensorError, OSError, TypeError, KeyError) as error:
        raise WeightsError.of("R508", f"`{path}` is not a readable safetensors file: {error}") from None
    if metadata.get("format") != FORMAT:
        raise WeightsError.of(
            "R508",
            f"`{path}` holds no network: its metadata has no shapeplan spec",
            fixes=("use a file written by `shapeplan train` or `model.save`",),
        )
    try:
        state = tuple(arrays.pop(name) for name in sorted((n for n in arrays if n.startswith(STATE)), key=_number))
        return Saved(
            arrays,
            state,
            metadata["spec"],
            {str(name): int(size) for name, size in json.loads(metadata["sizes"]).items()},
            metadata["dtype"],
            json.loads(metadata["training"]) if "training" in metadata else None,
        )
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise WeightsError.of("R508", f"the metadata of `{path}` is damaged: {error}") from None


def restore(model: Stored, path: str | os.PathLike[str], saved: Saved | None = None) -> Saved:
    """Copy the arrays of a weights file into a model and return the content of the file.

    Nothing is copied unless all names and shapes agree.

    Raises
    ------
    WeightsError
        R507: names or shapes differ (each is listed); R508: as for :func:`read`.
    """
    saved = saved or read(path)
    own = {**model.parameters, **model.buffers}
    differences = [f"`{name}` is missing from the file" for name in own if name not in saved.arrays]
    differences += [f"`{name}` is not in the network" for name in saved.arrays if name not in own]
    differences += [
        f"`{name}` is {_shape(array)} in the file and {_shape(own[name])} in the network"
        for name, array in saved.arrays.items()
        if name in own and own[name].shape != array.shape
    ]
    if differences:
        more = len(differences) - MOST_DIFFERENCES
        notes = (*differences[:MOST_DIFFERENCES], *((f"and {more} more",) if more > 0 else ()))
        message = f"the weights in `{path}` do not belong to the network `{model.bound.name}`"
        fix = "rebuild the network from the file itself: runtime.Model.load(path)"
        raise WeightsError([Finding("R507", message, notes=notes, fixes=(fix,))])
    for name, array in own.items():
        np.copyto(array, saved.arrays[name], casting="same_kind")
    return saved


def _number(name: str) -> int:
    return int(name.removeprefix(STATE))


def _shape(array: Array) -> str:
    return " x ".join(map(str, array.shape))
