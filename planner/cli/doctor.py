"""`shapeplan doctor`: which packages are installed, without importing them.

NumPy is queried in a separate process, because the planner never imports it.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click

from planner.cli.console import as_json as json_text
from planner.cli.console import out
from planner.cli.options import json_option

NEEDED = ("sympy", "networkx", "PyYAML", "click", "rich", "numpy", "threadpoolctl")
OPTIONAL = ("pygraphviz", "graphviz", "resvg-py", "scikit-learn", "pooch", "safetensors", "matplotlib")

NUMPY_QUERY = """
import json, numpy, threadpoolctl
keys = ("internal_api", "version", "architecture", "num_threads")
print(json.dumps([{key: pool.get(key) for key in keys} for pool in threadpoolctl.threadpool_info()]))
"""


@click.command("doctor")
@json_option
def command(as_json: bool) -> None:
    """Print versions, the drawing engine and the BLAS in use, for bug reports."""
    facts = examine()
    out(json_text(facts) if as_json else _text(facts))


def examine() -> dict[str, Any]:
    """Return the versions by package (None if missing), the drawing engine and the BLAS."""
    packages = {name: _version(name) for name in ("shapeplan", *NEEDED, *OPTIONAL)}
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "packages": packages,
        "drawing": _engine(packages),
        "blas": _blas() if packages["numpy"] and packages["threadpoolctl"] else [],
        "limits": {name: value for name, value in sorted(os.environ.items()) if name.startswith("OPENBLAS_")},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _engine(packages: dict[str, str | None]) -> str | None:
    if packages["pygraphviz"]:
        return f"pygraphviz {packages['pygraphviz']}"
    dot = shutil.which("dot")
    return f"graphviz {packages['graphviz']} with {dot}" if packages["graphviz"] and dot else None


def _blas() -> list[dict[str, Any]]:
    try:
        completed = subprocess.run(
            [sys.executable, "-c", NUMPY_QUERY], capture_output=True, text=True, timeout=60, check=True
        )
        found = json.loads(completed.stdout)
    except (OSError, subprocess.SubprocessError, json.JSONDecodeError):
        return []
    return found if isinstance(found, list) else []


def _text(facts: dict[str, Any]) -> str:
    lines = [f"Python {facts['python']}, {facts['system']}, {facts['cores']} cores", ""]
    widest = max(map(len, facts["packages"]))
    for name, number in facts["packages"].items():
        missing = "missing" if name in NEEDED else "not installed"
        lines.append(f"  {name:<{widest}}  {number or missing}")
    engine = facts["drawing"] or "no engine found; pip install 'shapeplan[draw]'"
    lines += ["", f"drawing: {engine}"]
    for pool in facts["blas"]:
        kernels = f", kernels {pool['architecture']}" if pool["architecture"] else ""
        lines.append(f"threads: {pool['internal_api']} {pool['version'] or ''}{kernels}, {pool['num_threads']} threads")
    if not facts["blas"]:
        lines.append("threads: NumPy cannot be imported; `check`, `show`, `explain` and `draw` work without it")
    lines += [f"limited by {name}={value}" for name, value in facts["limits"].items()]
    return "\n".join(lines) + "\n"
