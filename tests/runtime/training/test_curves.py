"""Curves and histories: pictures appear whole, say what they show, and are the same for the same run."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from planner.findings import PlannerError
from runtime.training import curves
from runtime.training.history import History
from runtime.training.progress import Bar, Lines, Silent, chosen

RUN = History(
    [
        {"epoch": 1, "loss": 1.0, "accuracy": 0.5, "val_loss": 1.1, "val_accuracy": 0.4, "lr_last": 0.1},
        {"epoch": 2, "loss": 0.5, "accuracy": 0.8, "val_loss": 0.7, "val_accuracy": 0.7, "lr_last": 0.1},
    ]
)
ROW = {"epoch": 1, "loss": 1.0, "accuracy": 0.5, "seconds": 2.0, "images_per_second": 500.0}


def test_svg_curves_are_xml_with_labelled_axes_and_the_same_every_time(tmp_path: Path) -> None:
    first, second = (curves.draw(RUN, tmp_path / name, "LeNet").read_bytes() for name in ("a.svg", "b.svg"))
    assert first == second
    text = " ".join(ElementTree.fromstring(first).itertext())
    for words in ("epoch", "loss", "accuracy", "training", "validation", "LeNet"):
        assert words in text


def test_png_curves_are_png(tmp_path: Path) -> None:
    assert curves.draw(RUN, tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("name", "run"), [("a.gif", RUN), ("a.svg", History())])
def test_what_cannot_be_drawn_is_a_finding_and_leaves_no_file(tmp_path: Path, name: str, run: History) -> None:
    with pytest.raises(PlannerError):
        curves.draw(run, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_histories_survive_json_and_tell_their_columns() -> None:
    assert History.from_dict(json.loads(RUN.to_json())) == RUN
    assert RUN.columns == ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "lr_last")
    assert RUN["val_loss"] == [1.1, 0.7]
    assert RUN.to_csv().splitlines()[0] == "epoch,loss,accuracy,val_loss,val_accuracy,lr_last"
    with pytest.raises(KeyError, match="no column 'los'"):
        RUN["los"]


def test_progress_goes_to_stderr_one_line_an_epoch_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = chosen(None)
    assert isinstance(shown, Lines)
    shown.start_epoch(1, 3, 1000)
    shown.step(64, 1.0, 0.5)
    shown.end_epoch(ROW)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "Epoch 1/3 - 2.0s - 500 images/s - loss 1.0000 - accuracy 0.5000\n"


def test_the_bar_shows_epoch_images_speed_and_metrics() -> None:
    import io

    from rich.console import Console

    stream = io.StringIO()
    bar = Bar(Console(file=stream, force_terminal=True, width=140))
    bar.start_epoch(2, 3, 1000)
    bar.step(500, 1.0, 0.5)
    bar.step(500, 1.0, None)
    bar.end_epoch(ROW)
    bar.say("[not markup]")
    bar.stop()
    for words in ("Epoch 2/3", "1,000/1,000", "500 images/s", "accuracy 0.5000", "[not markup]"):
        assert words in stream.getvalue()


def test_nothing_is_shown_when_nothing_is_wished(capsys: pytest.CaptureFixture[str]) -> None:
    shown = chosen(False)
    shown.start_epoch(1, 1, 1)
    shown.end_epoch(ROW)
    shown.say("x")
    assert capsys.readouterr() == ("", "")
    assert type(shown) is Silent
