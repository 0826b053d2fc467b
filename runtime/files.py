"""Atomic writing of files: a reader finds either the old content or the new, never half a file."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from planner.findings import PlannerError


def write_whole(path: Path, data: bytes) -> None:
    """Write a file atomically: to a temporary file in the same folder, which is then moved.

    Missing parent folders are created.

    Raises
    ------
    planner.PlannerError
        R508: the file cannot be written; an existing file of that name is unchanged.

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
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp creates files that only the owner can read; these follow the umask.
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        temporary.unlink(missing_ok=True)


def refuse_unwritable(path: str | os.PathLike[str]) -> None:
    """Check that :func:`write_whole` will be able to write a file, without leaving a trace.

    Raises
    ------
    planner.PlannerError
        R508: the path is a folder, or nothing can be written there.

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
            "R508", f"`{path}` is a folder, not a file", fixes=(f"give a file in it: {path / 'weights.safetensors'}",)
        )
    created: list[Path] = []
    try:
        for folder in (folder for folder in reversed(path.parents) if not folder.exists()):
            folder.mkdir()
            created.append(folder)
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        # Another process may already have created something in them.
        with suppress(OSError):
            for folder in reversed(created):
                folder.rmdir()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _unwritable(path: Path, error: OSError) -> PlannerError:
    return PlannerError.of(
        "R508", f"`{path}` cannot be written: {error.strerror}", fixes=("choose another path with --output",)
    )
