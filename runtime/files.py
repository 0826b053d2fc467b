"""Writing files so that a reader finds the old content or the new, never half of either."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from planner.findings import PlannerError


def write_whole(path: Path, data: bytes) -> None:
    """Write a file under a temporary name and move it into place; missing folders are created.

    Raises
    ------
    planner.PlannerError
        R508: the file cannot be written; an older file of that name is as it was.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(Path(folder) / "runs" / "a.txt", b"hello")
    ...     (Path(folder) / "runs" / "a.txt").read_text()
    'hello'
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise _unwritable(path, error) from None
    half = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files for the owner alone; these are for whoever may read the folder.
        half.chmod(0o666 & ~_umask())
        half.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        half.unlink(missing_ok=True)


def refuse_unwritable(path: str | os.PathLike[str]) -> None:
    """Find out now, and leaving no trace, whether :func:`write_whole` will be able to write a file.

    Raises
    ------
    planner.PlannerError
        R508: the place is a folder, or nothing can be written there.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     refuse_unwritable(Path(folder) / "runs" / "a.txt")
    ...     os.listdir(folder)
    []
    """
    path = Path(path)
    if path.is_dir():
        raise PlannerError.of(
            "R508", f"`{path}` is a folder, not a file", fixes=(f"name a file in it: {path / 'weights.safetensors'}",)
        )
    made: list[Path] = []
    try:
        for folder in (folder for folder in reversed(path.parents) if not folder.exists()):
            folder.mkdir()
            made.append(folder)
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        # Somebody else may already have put something there.
        with suppress(OSError):
            for folder in reversed(made):
                folder.rmdir()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _unwritable(path: Path, error: OSError) -> PlannerError:
    return PlannerError.of(
        "R508", f"`{path}` cannot be written: {error.strerror}", fixes=("choose another place with --output",)
    )
