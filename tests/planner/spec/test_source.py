"""The located tree: scalars, places, refusals and limits of `planner.spec.source`."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from planner.findings import Finding, SpecError
from planner.spec import tree
from planner.spec.source import compose, decode, read_tree, split_lines
from planner.spec.tree import Mapping, Scalar, Sequence, plain
from tests.harness.steps import steps


def codes(text: str, file: str = "a.yaml") -> list[tuple[str, int, int]]:
    """Return code, line and column of every finding."""
    _, findings = compose(text, file)
    assert all(f.fixes for f in findings), "every finding has a way out"
    return [(f.code, f.where.line, f.where.column) for f in findings if f.where]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("no", "no"),
        ("on", "on"),
        ("3:2", "3:2"),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("-7", -7),
        (".5", 0.5),
        ("TRUE", True),
        ("tRUE", "tRUE"),
        ("'1'", "1"),
        ("2001-01-01", "2001-01-01"),
        ("$c * 4", "$c * 4"),
    ],
)
def test_scalars_mean_what_yaml_1_2_says(text: str, value: object) -> None:
    found = plain(read_tree(f"a: {text}", "a.yaml"))["a"]
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize("text", ["~", "null", ""])
def test_nothing_is_none(text: str) -> None:
    assert plain(read_tree(f"a: {text}", "a.yaml")) == {"a": None}


def test_places_count_characters_from_one_and_end_behind_the_last() -> None:
    tree = read_tree("é: [10, 'ab', {k: v}]\nb:\n  - c: d  # words\n", "a.yaml")
    assert isinstance(tree, Mapping)
    items = tree.get("é")
    assert isinstance(items, Sequence)
    places = [(i.where.line, i.where.column, i.where.end_column) for i in items.items]
    assert places == [(1, 5, 7), (1, 9, 13), (1, 15, 21)]
    assert (items.where.column, items.where.end_column) == (4, 22)
    block = tree.get("b")
    assert block is not None and (block.where.line, block.where.column, block.where.end_column) == (3, 3, 9)


def test_duplicate_keys_are_refused_with_both_places() -> None:
    _, (finding,) = compose("a: {b: 1, c: 2,\n    b: 3}", "a.yaml")
    assert finding.code == "P102" and finding.where is not None
    assert (finding.where.line, finding.where.column) == (2, 5)
    assert [(r.where.line, r.where.column) for r in finding.related] == [(1, 5)]


def test_duplicates_do_not_hide_each_other() -> None:
    assert [line for _, line, _ in codes("a: 1\na: 2\nb: 1\nb: 2\n")] == [2, 4]


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: !!python/name:os.system x", "P104", 1, 4),
        ("a: 1\n<<: {b: 1}", "P104", 2, 1),
        ("a: &x [*x]", "P104", 1, 8),
        ("a: *nothing", "P104", 1, 4),
        ("a: 1\n---\nb: 1", "P104", 2, 1),
        ("? [a]\n: 1", "P106", 1, 3),
        ("a: [1,\n  2", "P101", 1, 4),
        ("a: b: c", "P101", 1, 5),
        ("a:\n\t- b", "P101", 2, 1),
        ("a: 'x", "P101", 1, 4),
        ("", "P101", 1, 1),
        ("# only words", "P101", 1, 1),
        ("a: x\x1b[31m", "P101", 1, 5),
        ("a: \u2028", "P101", 1, 4),
    ],
)
def test_what_is_refused_is_named_with_its_place(text: str, code: str, line: int, column: int) -> None:
    assert codes(text) == [(code, line, column)]


HOSTILE = {
    "alias bomb": "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 20)),
    "ten megabytes": "x" * 10_000_000,
    "deep brackets": "[" * 900_000,
    "deep braces": "{a: " * 200_000,
    "deep lists": "- " * 400_000,
    "many values": "[" + "1," * 400_000 + "1]",
    "long number": "a: " + "9" * 10_000,
    "long exponent": "a: 1e" + "9" * 10_000,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("file", ["a.yaml", "a.json"])
def test_hostile_text_is_refused_with_little_work(name: str, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MOST_NODES", 1_000)
    limit = 200_000 if name == "many values" else 20_000
    findings: list[Finding] = []
    steps(lambda: findings.extend(compose(HOSTILE[name], file)[1]), limit)
    assert findings and all(len(f.message) < 300 for f in findings)
    if file == "a.yaml":
        assert {f.code for f in findings} == {"P103"}


def test_aliases_write_out_within_the_limit() -> None:
    assert plain(read_tree("a: &x [1, 2]\nb: *x", "a.yaml")) == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize(
    "text", ["a: [1, {b: c}]", "a:\n- b\n-  c: 'x'\n", "x: |\n  a\n  b\ny: 1", "a: 1\na: 2", "- &a b\n- *a"]
)
def test_both_loaders_give_the_same_tree(text: str) -> None:
    assert compose(text, "a.yaml", yaml.SafeLoader) == compose(text, "a.yaml")


words = st.text(st.characters(categories=["L", "M", "N", "P", "S", "Zs"]), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)


@given(values.filter(lambda value: value is not None), st.sampled_from([None, 1, "\t"]), st.booleans())
def test_json_reads_back_as_what_was_written(value: object, indent: int | str | None, ascii_only: bool) -> None:
    assert plain(read_tree(json.dumps(value, indent=indent, ensure_ascii=ascii_only), "a.json")) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1,}', "a comma before the closing bracket"),
        ('{"a" 1}', "expected `:`"),
        ("[1 2]", "expected `,` or `]`, found `2`"),
        ('{"a": tru}', "the word `tru` needs quotes"),
        ("{'a': 1}", "expected a key"),
        ('{"a": "x\n"}', "not closed on its line"),
        ('{"a": "\\x41"}', "escape that JSON does not have"),
        ('{"a":', "found the end of the text"),
        ('{"a": 1} {', "expected the end of the text"),
        ('["\\ud800"]', "half of a surrogate pair"),
    ],
)
def test_faults_of_json_are_told_in_words_of_json(text: str, words: str) -> None:
    with pytest.raises(SpecError, match="not JSON") as caught:
        read_tree(text, "a.json")
    assert words in str(caught.value)


def test_json_places_survive_tabs_and_line_breaks() -> None:
    tree = read_tree('{\r\n\t"a": [true,\n\t\t"\\ud83d\\ude00"]}', "a.json")
    assert isinstance(tree, Mapping)
    items = tree.get("a")
    assert isinstance(items, Sequence) and isinstance(items.items[1], Scalar)
    assert (items.items[1].where.line, items.items[1].where.column, items.items[1].value) == (3, 3, "😀")


def test_bytes_that_are_not_utf_8_are_named_with_their_place() -> None:
    with pytest.raises(SpecError, match="0xff") as caught:
        decode(b"a: 1\nb: \xff", "a.yaml")
    where = caught.value.findings[0].where
    assert where is not None and (where.line, where.column) == (2, 4)


@given(st.text(alphabet="ab:-[]{},'\"\n #&*!|>?%@`\t0.$", max_size=60))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    for file in ("a.yaml", "a.json"):
        tree, findings = compose(text, file)
        assert (tree is None) <= bool(findings)
        lines = split_lines(text)
        for finding in findings:
            assert finding.where is not None and 1 <= finding.where.line <= len(lines) + 1
            assert finding.where.column < finding.where.end_column
