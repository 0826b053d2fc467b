"""Entry point of diagrams: choose subject, level and format, and write files atomically."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeVar, get_args

from planner.diagrams.diagram import Folded
from planner.diagrams.dot import dot_text
from planner.diagrams.fault import DrawError
from planner.diagrams.folding import LEVELS, Level, fold
from planner.diagrams.pdf import pdf_bytes, png_bytes
from planner.diagrams.picture import HEATS, Heat, paint
from planner.diagrams.scene import Scene
from planner.diagrams.source import Subject, diagram_of
from planner.diagrams.svg import svg_text
from planner.findings import nearest

Format = Literal["svg", "dot", "png", "pdf"]
"""File formats, which are also the suffixes."""

FORMATS: tuple[Format, ...] = get_args(Format)

Word = TypeVar("Word", bound=str)


def draw(
    subject: Subject,
    path: str | os.PathLike[str] | None = None,
    *,
    level: Level | None = None,
    heat: Heat | None = None,
    format: Format | None = None,
    at: Mapping[str, int] | None = None,
) -> str | bytes:
    """Return a diagram, and write it to a file if a path is given.

    The result is text for ``svg`` and ``dot``, and bytes for ``png`` and ``pdf``. The same input always gives the
    same output.

    Parameters
    ----------
    subject : Plan, BoundPlan, Diagnosis, Network or Diagram
        A network with a fault is drawn up to the fault, with the rest as ghosts.
    path : str or path, optional
        File to write. It is written under a temporary name and then renamed, so it is never incomplete.
    level : {"overview", "blocks", "full"}, optional
        A card per block, equal repetitions once, or everything. Default: everything up to 40 cards, otherwise
        equal repetitions once.
    heat : {"macs", "params", "memory"}, optional
        Tint each card by its share.
    format : {"svg", "dot", "png", "pdf"}, optional
        File format; default: the suffix of `path`, or svg without a path.
    at : Mapping of str to int, optional
        Values for sizes that are names.

    Raises
    ------
    DrawError
        If the format, level or heat is unknown, no library for the format is installed, the file cannot be written,
        the heat depends on names, or no layout engine is installed; in the last case the graph is written as DOT
        text next to `path`.
    SizeError
        If a size in `at` is not accepted.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="tiny", input={"x": ("N", 1, 8, 8)}, layers=[layer("conv", name="c", filters=2, kernel=3)])
    >>> str(draw(net, format="dot")).startswith('digraph "tiny"')
    True
    """
    chosen = _format(path, format)
    folded = fold(diagram_of(subject, at), _one_of("level", level, LEVELS))
    _one_of("heat", heat, HEATS)
    try:
        made = _rendered(folded, chosen, heat)
    except DrawError as error:
        if path is None or error.findings[0].code != "D601":
            raise
        raise _with_dot_file(error, Path(path), chosen, dot_text(folded)) from None
    if path is not None:
        _write(Path(path), made)
    return made


def _rendered(folded: Folded, format: Format, heat: Heat | None) -> str | bytes:
    if format == "dot":
        return dot_text(folded)
    return _painted(paint(folded, heat), format)


def _painted(scene: Scene, format: Format) -> str | bytes:
    if format == "svg":
        return svg_text(scene)
    return pdf_bytes(scene) if format == "pdf" else png_bytes(scene)


def save(scene: Scene, path: str | os.PathLike[str]) -> None:
    """Write a scene to a file in the format given by the suffix; the file is never incomplete.

    Raises
    ------
    DrawError
        If the suffix is not a picture format, no library for it is installed, or the file cannot be written.
    """
    chosen = _format(path, None)
    if chosen == "dot":
        raise DrawError.of(
            "D602",
            f"`{os.fspath(path)}`: this picture is not a graph and cannot be written as DOT text",
            fixes=("end the name in .svg",),
        )
    _write(Path(path), _painted(scene, chosen))


def _with_dot_file(error: DrawError, path: Path, format: Format, text: str) -> DrawError:
    """Write a graph that could not be laid out as DOT text to a new file, and return the error with a note on it."""
    dot = path.with_suffix(".dot")
    if dot.exists() and not _holds(dot, text):
        dot = path.with_name(f"{path.name}.dot")
    _write(dot, text)
    note = f"the graph was written to {dot} instead; with Graphviz:  dot -T{format} {dot} -o {path}"
    first, *others = error.findings
    return DrawError([replace(first, notes=(*first.notes, note)), *others])


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode()
    except OSError:
        return False


def _format(path: str | os.PathLike[str] | None, format: Format | None) -> Format:
    wanted = format or (Path(path).suffix.removeprefix(".").lower() if path is not None else "svg")
    for known in FORMATS:
        if wanted == known:
            return known
    what = f"`{os.fspath(path)}`" if path is not None else "this picture"
    close = nearest(wanted, FORMATS) if wanted else None
    raise DrawError.of(
        "D602",
        f"{what}: {f'`{wanted}` is not a supported picture format' if wanted else 'a picture needs a suffix'}",
        fixes=(f"did you mean .{close}?" if close else "end the name in .svg, .dot, .png or .pdf",),
    )


def _one_of(what: str, given: Word | None, known: tuple[Word, ...]) -> Word | None:
    if given is None or given in known:
        return given
    close = nearest(str(given), known)
    fix = f"did you mean {close}?" if close else f"{what} is one of {', '.join(known)}"
    raise DrawError.of("D602", f"`{given}` is not a {what} of a diagram", fixes=(fix,))


def _write(path: Path, made: str | bytes) -> None:
    content = made.encode() if isinstance(made, str) else made
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise DrawError.of(
            "D605",
            f"`{path}` cannot be written: {error.strerror or error}",
            fixes=("choose an existing directory with write permission",),
        ) from None


def _umask() -> int:
    """Return the file mode mask of the process, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
