"""Ready blocks, which a spec can use without declaring them, written as a spec."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from planner.findings import Location
from planner.spec.drafts import Block, read_blocks
from planner.spec.source import compose
from planner.spec.tree import Mapping as Tree

TEXT = """\
squeeze_excite:  # Hu et al., arXiv:1709.01507
  params: {reduction: 16, squeeze: 0, act: relu, gate: sigmoid}
  layers:
    - gap:      {name: mean, from: in}
    - conv:     {name: reduced, filters: in.channels // reduction, kernel: 1, act: $act, if: squeeze == 0}
    - conv:     {name: squeezed, filters: $squeeze, kernel: 1, act: $act, if: squeeze != 0}
    - conv:     {name: gate, filters: in.channels, kernel: 1, act: $gate}
    - multiply: {name: scaled, from: [in, gate]}
"""
"""The middle layer has the channels divided by `reduction`, or `squeeze` channels if that is given."""

FILE = "<ready blocks>"


@cache
def library() -> Mapping[str, Block]:
    """Return the ready blocks by name.

    Examples
    --------
    >>> {name: list(block.parameters) for name, block in library().items()}
    {'squeeze_excite': ['reduction', 'squeeze', 'act', 'gate']}
    """
    tree, problems = compose(TEXT, FILE)
    assert isinstance(tree, Tree) and not problems, problems
    return MappingProxyType(read_blocks(tree, _unsound))


def _unsound(code: str, message: str, where: Location, *_: object, **__: object) -> None:
    raise AssertionError(f"{where.line}: {code} {message}")
