"""What the whole suite shares: how Hypothesis runs, how Ctrl-C reaches it, and that PyTorch is an optional judge."""

from __future__ import annotations

import re
import signal
from collections.abc import Generator, Iterator
from importlib.util import find_spec

import pytest
from hypothesis import HealthCheck, settings

# No test fails because the machine is slow: neither an example nor its generation has a time limit. The same examples
# are drawn in every run.
settings.register_profile(
    "suite", deadline=None, derandomize=True, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")

# The judge's modules are left alone where PyTorch is not installed.
collect_ignore = [] if find_spec("torch") else ["harness/torch_judge", "harness/torch_reference.py"]


NOT_INSTALLED = re.compile(r"could not import '(torch|onnx|onnxruntime|autograd|numpy_ml|jax)|\] is not installed")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the doctests of what runs in PyTorch, as tests are marked by hand."""
    for item in items:
        if "torch_judge" in item.path.parts or item.path.name == "torch_reference.py":
            item.add_marker("other_frameworks")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a test fail that needs another framework and is not marked: CI runs only those again that are."""
    report = yield
    marked = item.get_closest_marker("other_frameworks")
    if report.skipped and not marked and NOT_INSTALLED.search(str(report.longrepr)):
        report.outcome = "failed"
        report.longrepr = f"{report.longrepr}\nmark it with @pytest.mark.other_frameworks"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Do the same with a module that is skipped as a whole."""
    report = yield
    marked = "pytestmark = pytest.mark.other_frameworks"
    missing = report.skipped and NOT_INSTALLED.search(str(report.longrepr))
    if missing and marked not in collector.path.read_text("utf-8"):
        report.outcome = "failed"
        report.longrepr = f"{report.longrepr}\nset {marked}"
    return report


@pytest.fixture(autouse=True, scope="session")
def _listening() -> Iterator[None]:
    """Let Ctrl-C be heard: a suite started in the background of a script inherits that it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
