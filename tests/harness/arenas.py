"""Running a network in an arena of one's own: packed as planned, or with nothing sharing memory by coming later."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from planner.memory import Arena
from planner.plan.plan import BoundPlan
from runtime.model import Model
from runtime.program import Program


def apart(arena: Arena) -> Arena:
    """Return the arena with every block behind the one before: nothing shares memory by coming later."""
    offset, moved = 0, {}
    for block in dict.fromkeys(arena.places.values()):
        moved[block] = replace(block, offset=offset)
        offset += block.bytes
    places = {key: moved[block] for key, block in arena.places.items()}
    return replace(arena, bytes=offset, blocks=tuple(moved.values()), places=places)


def run(bound: BoundPlan, arena: Arena, batch: int, *, rubbish: int) -> list[np.ndarray[Any, Any]]:
    """Return everything two passes or steps leave behind, in memory that begins full of rubbish."""
    model = Model(bound, seed=3)
    memory = np.full(arena.bytes, rubbish, np.uint8)
    program = Program(bound, model._state, arena, memory, batch=batch)
    rng, found = np.random.default_rng(5), []
    for _ in range(2):
        for view in program.inputs.values():
            view[...] = rng.standard_normal(view.shape)
        program.forward()
        found += [view.copy() for view in program.outputs.values()]
        for view in program.grad_outputs.values():
            view[...] = rng.standard_normal(view.shape)
        program.backward()
        found += [view.copy() for view in program.grad_inputs.values()]
        if program.training:
            found.append(model.flat_gradients.copy())
    return [*found, model.flat_buffers.copy()]
