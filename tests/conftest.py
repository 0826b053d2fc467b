"""What the whole suite shares: how Ctrl-C reaches it, and that PyTorch is an optional judge."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

# The judge's modules are left alone where PyTorch is not installed.
collect_ignore = [] if find_spec("torch") else ["harness/torch_judge", "harness/torch_reference.py"]


@pytest.fixture(autouse=True, scope="session")
def _listening() -> Iterator[None]:
    """Let Ctrl-C be heard: a suite started in the background of a script inherits that it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
