"""Ratios and what is made of them: by hand, on rows that were never measured."""

from __future__ import annotations

from typing import Any

import pytest
from bench.made import everything, results, row, several

from backproof_bench.goals import GOALS, judged
from backproof_bench.layers import REPORTED, Layer
from backproof_bench.rows import Row, ThreadsRow, mean, ratios, rows, spread
from backproof_bench.tables import means, rejections, several_threads, tables

LENET = next(layer for layer in REPORTED if layer.name == "LeNet conv1")
LARGE = next(layer for layer in REPORTED if layer.name == "VGG-16 conv2_2")


def test_ratios_are_those_of_one_round() -> None:
    found = ratios([10.0, 40.0, 90.0], [10.0, 20.0, 30.0])
    assert found is not None
    assert found == (2.0, 1.5, 2.5, 3)
    assert str(found) == "2.00 (1.50-2.50)"


def test_rounds_that_one_side_lacks_do_not_count() -> None:
    assert ratios([10.0, None, 90.0, 8.0], [10.0, 20.0, None, 2.0]) == (2.5, 1.75, 3.25, 2)
    assert ratios([10.0, 20.0], [5.0, 10.0, 1.0]) == (2.0, 2.0, 2.0, 2)  # a slow side has fewer rounds
    assert ratios([None, 1.0], [1.0, None]) is None
    assert spread([3.0]) == (3.0, 3.0, 3.0, 1)


def test_means_are_geometric() -> None:
    assert mean([2.0, 8.0]) == pytest.approx(4.0)
    assert mean([]) is None


def test_a_row() -> None:
    one = Row(row(LENET, "float32", "y", ours=1000, torch=1500))
    assert one.ratio("torch") == (1.5, 1.5, 1.5, 3)
    assert one.default_ratio() == (3.0, 3.0, 3.0, 3)
    assert one.fastest() == ("torch", (1.5, 1.5, 1.5, 3))
    assert one.fraction() == pytest.approx(0.5)
    assert one.fraction("torch") == pytest.approx(1 / 3)
    assert one.ratio("scipy") is None
    assert one.error("ours") == 1e-6


def test_what_was_rejected_has_no_times() -> None:
    data = row(LENET, "float32", "y")
    data["sides"]["torch"]["rejected"] = "an error of 3"
    one = Row(data)
    assert one.ratio("torch") is None
    assert one.default_ratio() is None
    assert one.fastest() == ("jax", (6.0, 6.0, 6.0, 3))
    assert rejections(results([data])) == ["float32, LeNet conv1, y, torch: an error of 3"]
    data["sides"]["ours"]["rejected"] = "an error of exactly 0"
    assert one.fraction() is None
    assert one.fastest() is None


def test_interrupted_samples_are_dropped_and_counted() -> None:
    times: dict[str, list[float | None]] = {
        "ours, 1 thread": [20.0, 20.0, None, 20.0, 20.0],
        "ours": [10.0, None, 10.0, 10.0, 10.0],
        "torch": [None, None, 30.0, 30.0, None],
    }
    one = ThreadsRow(several(LENET, "float32", "y", times))
    assert one.scaling() == (2.0, 2.0, 2.0, 3)
    assert one.ratio() is None  # two rounds are not enough
    (line,) = several_threads(results(threads=[one.data])).lines
    assert line[6:] == ("2.00 (2.00-2.00)", "unmeasured", "4 / 4 / 2", "5", "1.5")


def test_means_are_by_kind_of_layer_and_sum() -> None:
    some = [row(LENET, "float32", "y", 1000, 2000), row(LENET, "float32", "dx", 1000, 8000), row(LARGE, "float32", "y")]
    lines = {line[1:3]: line[3:] for line in means(results(some)).lines}
    assert lines["small", "torch"] == ("2.00", "8.00", "-", "4.00", "2.00", "2")
    assert lines["large", "jax"] == ("6.00", "-", "-", "6.00", "6.00", "1")
    assert lines["small", "torch, default allocator"] == ("4.00", "16.00", "-", "8.00", "4.00", "2")


# ---- goals


def verdicts(found: dict[str, Any]) -> dict[tuple[str, str], str]:
    return {(one.goal.text, one.goal.fold.name): one.verdict for one in judged(found)}


def test_goals_are_met_or_missed_by_the_numbers() -> None:
    twice, level = verdicts(everything()), verdicts(everything(torch=1000.0))
    forward = ("float32, large, forward", "geometric mean")
    assert (twice[forward], level[forward]) == ("met", "missed")
    assert level["float32, large, forward", "smallest"] == "met"  # 1 is above 0.95
    assert level["float32, all, the fastest baseline of each", "geometric mean"] == "met"
    assert level["float64, all, the fastest baseline of each", "geometric mean"] == "missed"
    assert twice["float64, small", "geometric mean"] == "missed"  # 2 is below 2.5
    assert twice["float32, 1x1, of the peak", "smallest"] == "missed"  # half of the peak
    assert twice["float32, error over PyTorch's", "largest"] == "met"
    assert twice["float32, large, two threads over one", "geometric mean"] == "met"
    assert (twice["LeNet training, an epoch", "median"], level["LeNet training, an epoch", "median"]) == (
        "met",
        "missed",
    )


def test_a_goal_is_undecided_while_a_layer_is_missing() -> None:
    found = everything()
    assert verdicts(found)["float32, 3x3 on 56, 28, 14 pixels, forward by Winograd", "geometric mean"] == "undecided"
    found["rows"] = [one for one in found["rows"] if one["layer"][0] != "VGG-16 conv2_2"]
    del found["threads"][5:]
    found["training"] = None
    after = verdicts(found)
    assert after["float32, large, forward", "geometric mean"] == "undecided"
    assert after["float32, small", "geometric mean"] == "met"
    assert after["float32, large, two threads over one", "geometric mean"] == "undecided"
    assert after["LeNet training, an epoch", "median"] == "undecided"


def test_one_layer_below_misses_the_smallest() -> None:
    found = everything()
    place = (list(LARGE), "float32", "y")
    at = [(one["layer"], one["dtype"], one["quantity"]) for one in found["rows"]].index(place)
    found["rows"][at] = row(LARGE, "float32", "y", 1000, 940)
    after = verdicts(found)
    assert after["float32, large, forward", "smallest"] == "missed"
    assert after["float32, large, forward", "geometric mean"] == "met"


def test_winograd_has_its_own_side() -> None:
    found = everything()
    for one in found["rows"]:
        if Layer(*one["layer"]).k == 3 and one["layer"][3] in (56, 28, 14):
            one["sides"]["ours, Winograd"] = {"ns": [500.0] * 3, "faults": 0, "error": 1e-5, "rejected": None}
    assert verdicts(found)["float32, 3x3 on 56, 28, 14 pixels, forward by Winograd", "geometric mean"] == "met"
    assert "Winograd" in [table.title for table in tables(found)]
    assert "Winograd" not in [table.title for table in tables(everything())]


def test_every_goal_is_of_reported_layers_and_none_is_empty() -> None:
    assert all(goal.places for goal in GOALS)
    assert all(place[0] in REPORTED for goal in GOALS for place in goal.places)
    strided = next(goal for goal in GOALS if "few channels" in goal.text)
    assert [place[0].name for place in strided.places] == ["ResNet-50 conv1"]
    assert len({(goal.text, goal.fold.name) for goal in GOALS}) == len(GOALS)


def test_a_table_has_as_many_cells_in_every_line() -> None:
    for table in tables(everything()):
        assert {len(line) for line in table.lines} == {len(table.columns)}, table.title
    assert len(rows(everything())) == 108
