"""A function for each kind of layer: what it returns, what it says of itself, and what type checkers make of it."""

from __future__ import annotations

import builtins
import doctest
import inspect
import re
import subprocess
import sys
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

import planner
from planner import constructors
from planner.constructors.docstring import example
from planner.constructors.functions import NAMES, make, python_name
from planner.constructors.settings import COMMON, settings_of
from planner.constructors.stub import PLACE, stub
from planner.findings import SettingError
from planner.layers import KINDS, Layer
from planner.network.norm_act import ACTIVATIONS, NORMS
from tests.harness.places import ROOT

OWN = sorted(set(NAMES) - {"input"})


@pytest.mark.parametrize("name", OWN)
def test_a_constructor_returns_what_layer_returns(name: str) -> None:
    settings = dict(example(KINDS[NAMES[name]]).settings)
    common: dict[str, Any] = {"name": "a", "from_": ["b", "c"], "norm": "batch", "act": "relu", "expect": ("N", 4)}
    made = getattr(constructors, name)
    assert made(**settings, **common) == planner.layer(NAMES[name], **settings, **common)
    assert made() == planner.layer(NAMES[name])


def test_every_kind_of_layer_has_a_constructor() -> None:
    assert set(NAMES.values()) == set(KINDS)
    assert set(NAMES) == set(constructors.__all__)
    assert set(constructors.__all__) <= set(dir(constructors))


@pytest.mark.parametrize("name", OWN)
def test_the_signature_has_the_settings_of_the_kind_and_the_common_ones(name: str) -> None:
    parameters = inspect.signature(getattr(constructors, name)).parameters
    own = {item.name: item.default for item in fields(KINDS[NAMES[name]])}
    assert set(parameters) == {*own, *(setting.name for setting in COMMON)}
    assert {parameter.kind for parameter in parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}
    for key, default in own.items():
        assert parameters[key].default == (inspect.Parameter.empty if default is MISSING else default)


def test_no_kind_of_layer_has_a_setting_of_a_common_name() -> None:
    common = {setting.name for setting in COMMON} | {"use"}
    assert {kind for kind, cls in KINDS.items() if common & {item.name for item in fields(cls)}} == set()


@pytest.mark.parametrize("name", sorted(NAMES))
def test_the_help_describes_every_parameter(name: str) -> None:
    made = getattr(constructors, name)
    text = inspect.getdoc(made) or ""
    described = re.findall(r"^(\w+) : ", text, re.MULTILINE)
    assert described == list(inspect.signature(made).parameters)
    assert "Examples\n--------" in text
    assert ":class:" not in text
    assert (made.__module__, made.__name__) == ("planner.constructors", name)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_the_example_in_the_help_runs(name: str) -> None:
    made = getattr(constructors, name)
    (found,) = doctest.DocTestFinder(recurse=False).find(made, name, globs={})
    assert found.examples
    outcome = doctest.DocTestRunner(verbose=False).run(found)
    assert outcome.failed == 0


def test_the_help_gives_shapes_as_formulas_of_the_settings() -> None:
    text = inspect.getdoc(make("upsample")) or ""
    assert "Shapes\n------\nInput (N, C, H, W), output (N, C, H*scale, W*scale).\n" in text
    assert "output (N, 58" not in (inspect.getdoc(make("split")) or "")


def test_a_name_that_is_no_kind_of_layer_is_not_there() -> None:
    assert not hasattr(constructors, "cnov")


def test_a_kind_that_is_a_keyword_of_python_gets_an_underscore() -> None:
    assert [python_name(kind) for kind in ("conv", "lambda", "slice")] == ["conv", "lambda_", "slice"]


@pytest.mark.parametrize(("kind", "cls"), KINDS.items(), ids=list(KINDS))
def test_the_words_a_setting_takes_are_all_listed(kind: str, cls: type[Layer]) -> None:
    words = {item.name for item in fields(cls) if item.type == "str"}
    choices = {item.name: item.metadata["choices"] for item in fields(cls) if "choices" in item.metadata}
    assert words == choices.keys()
    settings = dict(example(cls).settings)
    for name in words:
        for word in choices[name]:
            cls(**settings | {name: word})
        with pytest.raises(SettingError, match="must be one of"):
            cls(**settings | {name: "nonesuch"})


@pytest.mark.parametrize("name", OWN)
def test_settings_take_the_values_that_their_type_allows(name: str) -> None:
    """Where a size may be a name, or one for each axis, the type says so; and only there."""
    kind = NAMES[name]
    cls = KINDS[kind]
    required = {item.name for item in fields(cls) if item.default is MISSING}
    given = {key: value for key, value in example(cls).settings.items() if key in required}
    for setting in settings_of(kind):
        if setting.type in ("Size", "Size | Sequence[Size]") and kind != "unpool":
            several = accepted(cls, given | {setting.name: (1, 2)})
            assert several is ("Sequence" in setting.type), setting
        if setting.type in ("int", "bool", "float"):
            assert not accepted(cls, given | {setting.name: "k"}), setting
        if setting.type == "Size":
            assert accepted(cls, given | {setting.name: "k"}), setting


def accepted(cls: type[Layer], settings: dict[str, Any]) -> bool:
    """Tell whether a layer can have these settings."""
    try:
        cls(**settings)
    except SettingError:
        return False
    return True


def test_the_stub_is_current() -> None:
    assert PLACE.read_text("utf-8") == stub(), "run `make stubs`"


def test_the_stub_and_the_help_list_the_words_of_norm_and_act() -> None:
    text = stub()
    norm = next(setting.description for setting in COMMON if setting.name == "norm")
    assert all(f"'{word}'" in norm for word in NORMS)
    for word in (*NORMS, *ACTIVATIONS):
        assert f'    "{word}",\n' in text


RIGHT = """
import planner.constructors as shapeplan
from planner.network.entry import Entry, Tensor

layers: list[Entry] = [
    shapeplan.conv(filters=6, kernel=5, act="tanh"),
    shapeplan.conv(filters="F", kernel=(3, "k"), pad="same", stride=[1, 2], norm={"batch": {"eps": 0.001}}),
    shapeplan.conv(filters=6, kernel=5, act={"leaky_relu": {"slope": 0.2}}, expect=("N", 6, "H", "W")),
    shapeplan.maxpool(size=2, rounding="ceil"),
    shapeplan.resize(scale=1.5, mode="bilinear"),
    shapeplan.rescale(scale=(0.458, 0.448, 0.45)),
    shapeplan.slice(start=1, stop=-1, axis=2),
    shapeplan.add(from_=["a", "b"], name="sum"),
    shapeplan.gap(),
]
x: Tensor = shapeplan.input("image", ("N", 3, "H", "W"))
y: Tensor = shapeplan.conv(filters=8, kernel=3)(x)
z: Tensor = shapeplan.add()([y, shapeplan.maxpool(size=1)(y)])
w: Tensor = shapeplan.unpool(pool=y)(y, z)
"""

WRONG = {
    "shapeplan.conv(filters=6, kernal=5)": "call-arg",
    "shapeplan.conv(filters=6)": "call-arg",
    "shapeplan.conv(6, 5)": "call-arg",
    "shapeplan.cnov(filters=6, kernel=5)": "attr-defined",
    'shapeplan.conv(filters=6, kernel=5, act="rellu")': "arg-type",
    'shapeplan.conv(filters=6, kernel=5, norm={"bach": None})': "dict-item",
    "shapeplan.conv(filters=6.5, kernel=5)": "arg-type",
    "shapeplan.conv(filters=(6, 6), kernel=5)": "arg-type",
    'shapeplan.maxpool(size=2, rounding="up")': "arg-type",
    'shapeplan.dropout(rate="half")': "arg-type",
    'shapeplan.relu()("x")': "arg-type",
}


def test_type_checkers_see_wrong_settings_and_misspelt_kinds(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    right, wrong = tmp_path / "right.py", tmp_path / "wrong.py"
    right.write_text(RIGHT, "utf-8")
    wrong.write_text("\n".join(["import planner.constructors as shapeplan", *WRONG]), "utf-8")
    entry = inspect.getsourcefile(planner.Entry)
    assert entry is not None
    # Only these files are read: all others would take ten times as long.
    options = ["--config-file=", f"--cache-dir={tmp_path / 'cache'}", "--follow-imports=skip", "--hide-error-context"]
    options += ["--no-color-output", "--no-error-summary", "--explicit-package-bases"]
    sources = ["planner/__init__.py", entry, str(PLACE), str(right), str(wrong)]
    run = subprocess.run(
        [sys.executable, "-m", "mypy", *options, *sources], cwd=ROOT, capture_output=True, text=True, check=False
    )
    found = re.findall(r"(right|wrong)\.py:(\d+): error: .*\[([\w-]+)\]$", run.stdout, re.MULTILINE)
    assert [(file, int(line), code) for file, line, code in found] == [
        ("wrong", line, code) for line, code in enumerate(WRONG.values(), start=2)
    ], run.stdout + run.stderr


def test_names_of_builtins_are_what_they_were_for_everybody_else() -> None:
    assert {name for name in NAMES if hasattr(builtins, name)} == {"input", "slice"}
    assert constructors.slice(stop=2).kind == "slice"
