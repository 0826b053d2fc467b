"""Accepted sizes as Python code: assertions, torch.export dimensions, JAX symbolic shapes, ONNX value infos."""

from __future__ import annotations

import json

import planner.symbols as sy
from planner.conditions import AtLeast, Condition, Divides, Equal, Requirement
from planner.domain.domain import Domain, Open, solve
from planner.domain.sizeset import SizeSet
from planner.notations.pieces import MOST_LISTED, Piece, Simplified, identifier, pieces, simplest
from planner.plan.plan import Plan
from planner.symbols import Size


def as_python(plan: Plan, domain: Domain) -> str:
    """Return assertions on the input shapes that hold exactly for the accepted sizes.

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
        rule = _sentence(sizes.text(name))
        lines.append(f'assert {_condition(label, sizes)}, f"{{{label} = }}: {rule} is accepted"')
    if domain.boxes:
        lines += _boxes_python(domain)
    lines += [f"assert {_python(opened.requirement.condition)}" for opened in domain.assumptions]
    settings = [name for name in domain if name not in axes]
    lines += [f"# {', '.join(settings)}: not a size of an input, but a setting of the network"] if settings else []
    return "\n".join(lines)


def as_torch(plan: Plan, domain: Domain, *, lossless: bool = False) -> str:
    """Return ``Dim`` expressions and ``dynamic_shapes`` for ``torch.export.export``.

    torch.export treats any inner length of 0 or 1 as a constant, so ranges begin where every feature map has a
    length of at least 2; smaller accepted sizes are listed in a comment.

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
    # export with an example batch of 2 or more; torch.export refuses these accepted sizes: H = 5
    dynamic_shapes = {"x": {0: N, 2: H, 3: H}}
    """
    axes = _names(plan)
    simple, refused = _for_torch(plan, domain, lossless)
    lines = ["from torch.export import Dim", ""]
    for name, piece in simple.pieces.items():
        if name in axes:
            lines += _dim(name, piece)
    lines += [f"# {words}" for words in simple.omitted]
    lines += [f"# all accepted sizes: {domain.text()}"] * bool(domain.boxes)
    hint = "# export with an example batch of 2 or more"
    lines.append(hint + (f"; torch.export refuses these accepted sizes: {refused}" if refused else ""))
    inputs = []
    for name, shape in plan.input_shapes.items():
        dims = [(axis, sy.text(size)) for axis, size in enumerate(shape) if sy.constant(size) is None]
        moving = [f"{axis}: {identifier(text)}" for axis, text in dims if simple.pieces[text].only is None]
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
    simple = simplest(domain)
    axes = _names(plan)
    rules: list[str] = []
    for name, piece in simple.pieces.items():
        if name in axes and piece.only is None:
            rules += _constraints(name, piece)
    listed = ", ".join(f'"{rule}"' for rule in rules)
    lines = ["from jax import export", "", f"scope = export.SymbolicScope([{listed}])"]
    lines += [f"# {words}" for words in simple.omitted]
    for name, shape in plan.input_shapes.items():
        sizes = ", ".join(_jax_size(size, simple) for size in shape)
        lines.append(f'{identifier(name, ["scope", "export"])} = export.symbolic_shape("{sizes}", scope=scope)')
    return "\n".join(lines)


def as_onnx(plan: Plan, domain: Domain) -> str:
    """Return value infos with named dimensions, and the accepted sizes as a comment, because ONNX cannot limit sizes.

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
    lines.append(
        f"# ONNX names sizes (dim_param) and cannot limit them. Accepted: {domain.text() or 'the fixed sizes below'}"
    )
    for what, shapes in (("inputs", plan.input_shapes), ("outputs", plan.output_shapes)):
        lines.append(f"{what} = [")
        for name, shape in shapes.items():
            sizes = ", ".join(sy.text(s) if sy.constant(s) is not None else f'"{sy.text(s)}"' for s in shape)
            lines.append(f"    helper.make_tensor_value_info({json.dumps(name)}, TensorProto.FLOAT, [{sizes}]),")
        lines.append("]")
    return "\n".join(lines)


def _names(plan: Plan) -> frozenset[str]:
    """Return the names in the shapes of inputs."""
    return frozenset().union(*(sy.free(size) for shape in plan.input_shapes.values() for size in shape))


def _unpacked(plan: Plan) -> list[str]:
    """Return the lines that unpack the input shapes and assert fixed and repeated sizes."""
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
    """Return an expression that is true for the members of a set; all unbounded pieces have the same period."""
    parts = pieces(sizes)
    unbounded = [piece for piece in parts if piece.last is None]
    terms = []
    if unbounded and unbounded[0].step == 1:
        terms.append(f"{label} >= {unbounded[0].first}")
    elif unbounded:
        step = unbounded[0].step
        start = unbounded[0].first
        residues = sorted(piece.first % step for piece in unbounded)
        among = f"== {residues[0]}" if len(residues) == 1 else f"in {{{', '.join(map(str, residues))}}}"
        from_start = f"{label} >= {start} and " if unbounded[-1].first > step else ""
        terms.append(f"{from_start}{label} % {step} {among}")
    runs = [piece for piece in parts if piece.last is not None]
    singles = [piece.first for piece in runs if piece.only is not None]
    for piece in runs:
        if piece.only is None:
            stepped = "" if piece.step == 1 else f" and {label} % {piece.step} == {piece.first % piece.step}"
            terms.append(f"{piece.first} <= {label} <= {piece.last}{stepped}")
    if singles:
        among = f"in {{{', '.join(map(str, singles))}}}" if len(singles) > 1 else f"== {singles[0]}"
        terms.append(f"{label} {among}")
    wrapped = [f"({term})" if " and " in term and len(terms) > 1 else term for term in terms]
    return " or ".join(wrapped) or "False"


def _boxes_python(domain: Domain) -> list[str]:
    """Return the assertion for coupled sizes: as a set of pairs if there are few, else box by box."""
    names = tuple(domain.boxes[0])
    labels = ", ".join(map(identifier, names))
    if all(sizes.count == 1 for box in domain.boxes for sizes in box.values()) and len(domain.boxes) <= MOST_LISTED:
        pairs = ", ".join(f"({', '.join(str(box[name].minimum) for name in names)})" for box in domain.boxes)
        return [f"assert ({labels}) in {{{pairs}}}"]
    parts = (" and ".join(f"({_condition(identifier(n), s)})" for n, s in box.items()) for box in domain.boxes)
    return ["assert (", *(f"    {'or ' if index else ''}({part})" for index, part in enumerate(parts)), ")"]


def _python(condition: Condition) -> str:
    """Return an unsolved condition as an expression."""
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


def _for_torch(plan: Plan, domain: Domain, lossless: bool) -> tuple[Simplified, str]:
    """Return the ranges for torch.export, and the accepted sizes that it refuses."""
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
    """Return the lines that define a dimension; a size with only one accepted value stays static."""
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
    """Return the constraints on the variable of a size."""
    label = _variable(name, piece)
    first = max(1, piece.first // piece.step) if piece.step > 1 else piece.first
    found = [f"{label} >= {first}"] if first > 1 else []
    if piece.last is not None:
        found.append(f"{label} <= {first + (piece.last - piece.first) // piece.step}")
    return found


def _variable(name: str, piece: Piece) -> str:
    letter = name if name[0].isalpha() else f"d{name}"
    return letter if piece.step == 1 else f"k_{letter}"


def _jax_size(size: Size, simple: Simplified) -> str:
    """Return a size in JAX syntax; JAX variables begin at 1, so ``16k`` from 16 on is ``16*k``."""
    text = sy.text(size)
    piece = simple.pieces.get(text)
    if piece is None:
        return text
    if piece.only is not None:
        return str(piece.only)
    if piece.step == 1:
        return _variable(text, piece)
    shift = piece.first - piece.step * max(1, piece.first // piece.step)
    sign = f" {'+' if shift > 0 else '-'} {abs(shift)}" if shift else ""
    return f"{piece.step}*{_variable(text, piece)}{sign}"
