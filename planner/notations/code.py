"""The rule as Python: an assertion, dimensions for torch.export, symbolic shapes for JAX, value infos for ONNX."""

from __future__ import annotations

import planner.symbols as sy
from planner.conditions import AtLeast, Condition, Divides, Equal, Requirement
from planner.domain.domain import Domain, Open, solve
from planner.domain.sizeset import SizeSet
from planner.notations.pieces import MOST_LISTED, Piece, Say, identifier, pieces, simplest
from planner.plan.plan import Plan
from planner.symbols import Size


def as_python(plan: Plan, domain: Domain) -> str:
    """Return assertions on the shapes of the inputs that hold exactly for the accepted sizes.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="n", input={"x": ("N", 3, "H", 9)}, layers=[layer("conv", filters=1, kernel=5)])
    >>> plan = net.check()
    >>> print(as_python(plan, plan.domain))
    N, _, H, _ = x.shape
    assert x.shape[1] == 3
    assert x.shape[3] == 9
    assert H >= 5, f"{H = }: H >= 5 is accepted"
    """
    lines = [*_unpacked(plan)]
    joint = frozenset().union(*domain.boxes)
    axes = _names(plan)
    for name, sizes in domain.items():
        if name in joint or sizes == SizeSet.everything():
            continue
        label = identifier(name)
        said = _sentence(sizes.text(name))
        lines.append(f'assert {_condition(label, sizes)}, f"{{{label} = }}: {said} is accepted"')
    if domain.boxes:
        lines += _boxes_python(domain)
    lines += [f"assert {_python(opened.requirement.condition)}" for opened in domain.assumptions]
    settings = [name for name in domain if name not in axes]
    lines += [f"# {', '.join(settings)}: no size of an input, but a setting of the network"] if settings else []
    return "\n".join(lines)


def as_torch(plan: Plan, domain: Domain, *, lossless: bool = False) -> str:
    """Return ``Dim`` expressions and ``dynamic_shapes`` for ``torch.export.export``.

    torch.export takes a length of 0 or 1 anywhere inside for a constant, so that ranges begin where every
    map is 2 long; what the network accepts beyond that is said in a comment.

    Source: torch.export documentation, "Expressing Dynamism".

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="n", input={"x": ("N", 3, "H", "H")}, layers=[layer("conv", filters=1, kernel=5)])
    >>> plan = net.check()
    >>> print(as_torch(plan, plan.domain))
    from torch.export import Dim
    <BLANKLINE>
    N = Dim("N", min=1)
    H = Dim("H", min=6)
    # export with an example batch of 2 or more; of what the network accepts, torch.export refuses H = 5
    dynamic_shapes = {"x": {0: N, 2: H, 3: H}}
    """
    axes = _names(plan)
    say, refused = _for_torch(plan, domain, lossless)
    lines = ["from torch.export import Dim", ""]
    for name, piece in say.pieces.items():
        if name in axes:
            lines += _dim(name, piece)
    lines += [f"# {words}" for words in say.unsaid]
    lines += [f"# accepted in all: {domain.text()}"] * bool(domain.boxes)
    hint = "# export with an example batch of 2 or more"
    lines.append(hint + (f"; of what the network accepts, torch.export refuses {refused}" if refused else ""))
    inputs = []
    for name, shape in plan.input_shapes.items():
        dims = [(axis, sy.text(size)) for axis, size in enumerate(shape) if sy.constant(size) is None]
        moving = [f"{axis}: {identifier(text)}" for axis, text in dims if say.pieces[text].only is None]
        inputs.append(f'"{identifier(name)}": {{{", ".join(moving)}}}')
    lines.append(f"dynamic_shapes = {{{', '.join(inputs)}}}")
    return "\n".join(lines)


def as_jax(plan: Plan, domain: Domain) -> str:
    """Return symbolic shapes with constraints for ``jax.export``.

    Source: JAX documentation, "Shape polymorphism", user-specified symbolic constraints.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="n", input={"x": ("N", 3, "H", 9)}, layers=[layer("conv", filters=1, kernel=5)])
    >>> plan = net.check()
    >>> print(as_jax(plan, plan.domain))
    from jax import export
    <BLANKLINE>
    scope = export.SymbolicScope(["H >= 5"])
    x = export.symbolic_shape("N, 3, H, 9", scope=scope)
    """
    say = simplest(domain)
    axes = _names(plan)
    rules: list[str] = []
    for name, piece in say.pieces.items():
        if name in axes and piece.only is None:
            rules += _constraints(name, piece)
    listed = ", ".join(f'"{rule}"' for rule in rules)
    lines = ["from jax import export", "", f"scope = export.SymbolicScope([{listed}])"]
    lines += [f"# {words}" for words in say.unsaid]
    for name, shape in plan.input_shapes.items():
        sizes = ", ".join(_jax_size(size, say) for size in shape)
        lines.append(f'{identifier(name, ["scope", "export"])} = export.symbolic_shape("{sizes}", scope=scope)')
    return "\n".join(lines)


def as_onnx(plan: Plan, domain: Domain) -> str:
    """Return value infos with named dimensions, and the rule as a comment: ONNX has no place for one.

    Source: ONNX IR specification, "Static tensor shapes" (dim_param).

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="n", input={"x": ("N", 3, "H", 9)}, layers=[layer("conv", name="c", filters=1, kernel=5)])
    >>> plan = net.check()
    >>> print(as_onnx(plan, plan.domain))
    from onnx import TensorProto, helper
    <BLANKLINE>
    # ONNX names sizes (dim_param) and cannot limit them. Accepted: N >= 1, H >= 5
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, "H", 9]),
    ]
    outputs = [
        helper.make_tensor_value_info("c", TensorProto.FLOAT, ["N", 1, "H - 4", 5]),
    ]
    """
    lines = ["from onnx import TensorProto, helper", ""]
    lines.append(f"# ONNX names sizes (dim_param) and cannot limit them. Accepted: {domain.text() or 'as they are'}")
    for what, shapes in (("inputs", plan.input_shapes), ("outputs", plan.output_shapes)):
        lines.append(f"{what} = [")
        for name, shape in shapes.items():
            sizes = ", ".join(sy.text(s) if sy.constant(s) is not None else f'"{sy.text(s)}"' for s in shape)
            lines.append(f'    helper.make_tensor_value_info("{name}", TensorProto.FLOAT, [{sizes}]),')
        lines.append("]")
    return "\n".join(lines)


def _names(plan: Plan) -> frozenset[str]:
    """Return the names that stand in the shapes of inputs."""
    return frozenset().union(*(sy.free(size) for shape in plan.input_shapes.values() for size in shape))


def _unpacked(plan: Plan) -> list[str]:
    """Return the lines that take the shapes apart, with what is fixed or said twice asserted."""
    lines: list[str] = []
    known: set[str] = set()
    for name, shape in plan.input_shapes.items():
        label = identifier(name)
        targets, later = [], []
        for axis, size in enumerate(shape):
            text = sy.text(size)
            if sy.constant(size) is not None or text in known:
                targets.append("_")
                given = text if sy.constant(size) is not None else identifier(text)
                later.append(f"assert {label}.shape[{axis}] == {given}")
            else:
                known.add(text)
                targets.append(identifier(text))
        lines += [f"{', '.join(targets)} = {label}.shape"] * (set(targets) != {"_"}) + later
    return lines


def _condition(label: str, sizes: SizeSet) -> str:
    """Return a set as an expression that is true of its members; all endless pieces have one period."""
    parts = pieces(sizes)
    endless = [piece for piece in parts if piece.last is None]
    said = []
    if endless and endless[0].step == 1:
        said.append(f"{label} >= {endless[0].first}")
    elif endless:
        step = endless[0].step
        start = endless[0].first
        residues = sorted(piece.first % step for piece in endless)
        among = f"== {residues[0]}" if len(residues) == 1 else f"in {{{', '.join(map(str, residues))}}}"
        from_there = f"{label} >= {start} and " if endless[-1].first > step else ""
        said.append(f"{from_there}{label} % {step} {among}")
    runs = [piece for piece in parts if piece.last is not None]
    singles = [piece.first for piece in runs if piece.only is not None]
    for piece in runs:
        if piece.only is None:
            stepped = "" if piece.step == 1 else f" and {label} % {piece.step} == {piece.first % piece.step}"
            said.append(f"{piece.first} <= {label} <= {piece.last}{stepped}")
    if singles:
        among = f"in {{{', '.join(map(str, singles))}}}" if len(singles) > 1 else f"== {singles[0]}"
        said.append(f"{label} {among}")
    wrapped = [f"({part})" if " and " in part and len(said) > 1 else part for part in said]
    return " or ".join(wrapped) or "False"


def _boxes_python(domain: Domain) -> list[str]:
    """Return the assertion that sizes belong together: as a set of pairs where they are few, else box by box."""
    names = tuple(domain.boxes[0])
    labels = ", ".join(map(identifier, names))
    if all(sizes.count == 1 for box in domain.boxes for sizes in box.values()) and len(domain.boxes) <= MOST_LISTED:
        pairs = ", ".join(f"({', '.join(str(box[name].minimum) for name in names)})" for box in domain.boxes)
        return [f"assert ({labels}) in {{{pairs}}}"]
    parts = (" and ".join(f"({_condition(identifier(n), s)})" for n, s in box.items()) for box in domain.boxes)
    return ["assert (", *(f"    {'or ' if index else ''}({part})" for index, part in enumerate(parts)), ")"]


def _python(condition: Condition) -> str:
    """Return a condition that could not be solved as an expression."""
    left, right = (*map(_expression, condition.sizes), "")[:2]
    if isinstance(condition, AtLeast):
        return f"{left} >= {condition.bound}"
    if isinstance(condition, Equal):
        return f"{left} == {right}"
    assert isinstance(condition, Divides)
    return f"({right}) % ({left}) == 0"


def _expression(size: Size) -> str:
    return sy.python(sy.renamed(sy.size(size), {sy.symbol(n): sy.symbol(identifier(n)) for n in sy.free(size)}))


def _sentence(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _for_torch(plan: Plan, domain: Domain, lossless: bool) -> tuple[Say, str]:
    """Return what to say to torch.export, and which accepted sizes it refuses."""
    sizes = dict.fromkeys(size for node in plan.nodes for size in node.output_shape[2:] if sy.free(size))
    longer = [Open("", Requirement("S201", AtLeast(size, 2), str)) for size in sizes]
    narrow = solve(plan.free, (*plan.requirements, *(plan.border_requirements if lossless else ()), *longer))
    if narrow.empty:
        return simplest(domain), ""
    refused = []
    for name, whole in domain.items():
        lost = [n for n in range(1, (narrow[name].minimum or 1)) if n in whole]
        if lost:
            refused.append(SizeSet.of(*lost).text(name))
    return simplest(narrow), ", ".join(refused)


def _dim(name: str, piece: Piece) -> list[str]:
    """Return the lines that make one dimension; a size that can be but one number stays static."""
    label = identifier(name)
    if piece.only is not None:
        return [f"# {name} is {piece.only} and stays static"]
    if piece.step == 1:
        end = "" if piece.last is None else f", max={piece.last}"
        return [f'{label} = Dim("{label}", min={piece.first}{end})']
    turn, rest = divmod(piece.first, piece.step)
    root = f"_{label}"
    shift = f" + {rest}" if rest else ""
    end = "" if piece.last is None else f", max={piece.last // piece.step}"
    return [f'{root} = Dim("{root}", min={turn}{end})', f"{label} = {piece.step} * {root}{shift}  # {piece.text(name)}"]


def _constraints(name: str, piece: Piece) -> list[str]:
    """Return what limits the variable that a size is written in."""
    label = _variable(name, piece)
    first = max(1, piece.first // piece.step) if piece.step > 1 else piece.first
    found = [f"{label} >= {first}"] if first > 1 else []
    if piece.last is not None:
        found.append(f"{label} <= {first + (piece.last - piece.first) // piece.step}")
    return found


def _variable(name: str, piece: Piece) -> str:
    letter = name if name[0].isalpha() else f"d{name}"
    return letter if piece.step == 1 else f"k_{letter}"


def _jax_size(size: Size, say: Say) -> str:
    """Return a size as JAX reads it; its variables begin at 1, so that ``16k`` from 16 on is ``16*k``."""
    text = sy.text(size)
    piece = say.pieces.get(text)
    if piece is None:
        return text
    if piece.only is not None:
        return str(piece.only)
    if piece.step == 1:
        return _variable(text, piece)
    shift = piece.first - piece.step * max(1, piece.first // piece.step)
    sign = f" {'+' if shift > 0 else '-'} {abs(shift)}" if shift else ""
    return f"{piece.step}*{_variable(text, piece)}{sign}"
