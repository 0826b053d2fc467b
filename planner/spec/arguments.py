"""Arguments of a use of a block: one value for all repetitions, or one for each repetition."""

from __future__ import annotations

from planner.spec.drafts import PARAMETER_TYPES, Block, Draft, Item, Parameter, Report
from planner.spec.expression import Value
from planner.spec.tree import Sequence, Tree
from planner.spec.values import Frame, Unreadable, Values

MOST_REPEATS = 1_000


class Arguments:
    """Reader of the arguments of block uses; it reports faults."""

    def __init__(self, values: Values, report: Report) -> None:
        self.values, self.report = values, report

    def of(self, draft: Draft, block: Block, frame: Frame) -> list[dict[str, Value]]:
        """Return the parameters of every repetition; an empty list if they cannot be read."""
        try:
            repeat = self._repeat(draft.items.get("repeat"), frame)
        except Unreadable:
            return []
        columns: dict[str, list[Value]] = {}
        try:
            for parameter in block.parameters.values():
                item = draft.items.get(parameter.name)
                if item is None:
                    assert parameter.default is not None  # a missing one has been reported, and the draft is broken
                    columns[parameter.name] = [parameter.default] * repeat
                    continue
                trees = item.value.items if isinstance(item.value, Sequence) else [item.value] * repeat
                if len(trees) != repeat:
                    what = f"`{parameter.name}` has {len(trees)} values for {repeat} repetition{'s' * (repeat != 1)}"
                    fix = "give one value for all, or one for each repetition"
                    self.report("N110", f"block `{block.name}`: {what}", item.where, fix)
                    return []
                columns[parameter.name] = [self._argument(item, tree, parameter, block, frame) for tree in trees]
        except Unreadable:
            return []
        return [{name: column[i] for name, column in columns.items()} for i in range(repeat)]

    def _repeat(self, item: Item | None, frame: Frame) -> int:
        if item is None:
            return 1
        value = self.values.value(item, item.value, frame, compute=True)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_REPEATS:
            self.report(
                "N110", f"`repeat` must be a whole number from 1 to {MOST_REPEATS}", item.where, "write  repeat: 2"
            )
            raise Unreadable
        return value

    def _argument(self, item: Item, tree: Tree, parameter: Parameter, block: Block, frame: Frame) -> Value:
        value = self.values.value(item, tree, frame, compute=parameter.type == "int")
        fits = {
            "int": not isinstance(value, (bool, float)),
            "bool": isinstance(value, bool),
            "float": isinstance(value, (int, float)) and not isinstance(value, bool),
            "str": isinstance(value, str),
        }[parameter.type]
        if not fits:
            wanted = PARAMETER_TYPES[parameter.type]
            self.report(
                "N107",
                f"`{parameter.name}` of block `{block.name}` must be {wanted}, got {value!r}",
                item.where,
                "see its `params:`",
            )
            raise Unreadable
        return value
