"""Error reporting of the commands that compute: findings instead of tracebacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from planner.cli.console import fail
from planner.findings import Finding, PlannerError, SettingError

SMALLER_BATCH = "use a smaller batch: `shapeplan solve SPEC --memory 2GiB --training` finds the largest that fits"
LIBRARIES = {"sklearn": "scikit-learn", "pooch": "pooch", "matplotlib": "matplotlib", "PIL": "pillow"}
"""Libraries of the `train` extra, by import name."""


@contextmanager
def reported(spec: str | None = None) -> Iterator[None]:
    """Print errors as findings with code frames instead of a traceback, and exit with status 1."""
    try:
        yield
    except PlannerError as error:
        _fail(error.findings, spec)
    except SettingError as error:
        _fail([Finding(error.code, error.problem, fixes=(error.fix,) if error.fix else ())], spec)
    except ModuleNotFoundError as error:
        library = LIBRARIES.get((error.name or "").partition(".")[0])
        if library is None:
            raise
        fix = "pip install 'shapeplan[train]'"
        _fail([Finding("R512", f"this needs {library}, which is not installed", fixes=(fix,))], spec)
    except MemoryError as error:
        message = f"not enough memory: {error}".rstrip(": ")
        _fail([Finding("R511", message, fixes=(SMALLER_BATCH,))], spec)


def _fail(findings: Iterable[Finding], spec: str | None) -> NoReturn:
    sources: dict[str, str] = {}
    if spec is not None and spec != "-" and Path(spec).is_file():
        sources[spec] = Path(spec).read_text(encoding="utf-8", errors="replace")
    fail(findings, sources)
