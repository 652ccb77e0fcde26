"""The user's own shapes: what is right is proved or bounded, and what is wrong only there is found there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from backproof import events
from backproof.api import check
from backproof.cases.data import amplitudes, products
from backproof.cases.shapes import own_shape
from backproof.checks import basis, shapes
from backproof.contract import QUANTITIES, Geometry

WRONG = Path(__file__).parent / "wrong"
SMALL = "x=1,1,3,3 w=1,1,2,2 stride=2 padding=1"
MIDDLE = "x=2,3,6,5 w=4,3,3,2 padding=1,0,2,1 dilation=1,2"
LARGE = "x=1,32,6,6 w=32,32,3,3 padding=1"  # large enough here, see `tried`

HEAD = """
import numpy as np, right
ORIENTATION = "convolution"
"""
FORWARD = (
    HEAD
    + """from right import backward
def forward(x, w, b, *, stride, padding, dilation):
    y = right.forward(x, w, b, stride=stride, padding=padding, dilation=dilation)
    {}
    return y
"""
)
BACKWARD = (
    HEAD
    + """from right import forward
def backward(dy, x, w, b, *, stride, padding, dilation):
    dx, dw, db = right.backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation)
    {}
    return dx, dw, db
"""
)


@pytest.fixture
def tried(monkeypatch, verify):
    """`tried(target, *shapes)`: the outcome of the check `shapes`, and its record of each shape."""
    monkeypatch.setattr(shapes, "ENTRYWISE", 2**17)

    def tried(target: str, *asked):
        outcome = verify(target, checks=("shapes",), shapes=asked)
        return outcome, outcome.checks["shapes"].shapes

    return tried


def test_what_is_right_is_proved_bounded_or_projected(tried) -> None:
    outcome, (small, middle, large) = tried(str(WRONG / "right.py"), SMALL, MIDDLE, LARGE)
    assert (outcome.status, outcome.findings) == (0, [])
    assert [record["method"] for record in (small, middle, large)] == ["proof", "draws", "projection"]
    for record in (small, middle, large):
        assert set(record["log2_missed"]) == set(QUANTITIES)
        assert max(record["log2_missed"].values()) < -shapes.BITS
        assert record["dtypes"] == ["float32", "float64"]
    assert max(middle["log2_layouts"].values()) < -shapes.BITS
    assert -20 < max(large["log2_layouts"].values()) < -4  # one example in each layout but C
    assert small["log2_linear"] < -shapes.BITS
    # 9 pixels, 4 weights, 4 outputs: y by 9*4 + 1 calls, the gradients by 4*9, in two dtypes; the rest are draws
    assert 2 * (37 + 36) < small["calls"] < 2 * (37 + 36) + 600
    assert middle["reason"].startswith("no proof: all pairs of entries are ")
    schema = json.loads(Path(events.__file__).with_name("events.schema.json").read_text(encoding="utf-8"))
    for event in outcome.events:
        Draft202012Validator(schema).validate(json.loads(events.as_json(event)))


def test_a_mistake_at_exactly_this_shape_is_found_at_this_shape_alone(tried, module) -> None:
    target = module(FORWARD.format("if x.shape == (2, 3, 6, 5): y[1, 3, 0, 1] += x[0, 0, 0, 0] * w[3, 1, 1, 1]"))
    assert tried(target, SMALL, "x=2,3,5,6 w=4,3,3,2")[0].status == 0
    outcome, (record,) = tried(target, MIDDLE)
    (finding,) = outcome.findings
    assert (outcome.status, record["verdict"], finding.check, finding.quantity) == (1, "failed", "shapes", "y")
    assert (finding.index[:2], finding.wrong) == ([1, 3], 1)
    assert finding.case["geometry"]["size"] == (6, 5)
    assert finding.details[-1] == f"first seen at the shape {MIDDLE}"


def test_a_mistake_of_everywhere_is_shrunk_below_the_shape(tried) -> None:
    outcome, _ = tried(str(WRONG / "dw_not_rotated.py"), MIDDLE)
    (finding,) = outcome.findings
    assert (finding.quantity, finding.case["geometry"]["kernel_size"]) == ("dw", (1, 2))
    assert any("rotated by 180 degrees" in text for text in finding.details)


IN_LARGE = {
    "y": (FORWARD, "if len(w) > 20: y[:, 17, :, :-1] -= x[:, 5, :, 1:] * w[17, 5, 1, 0]", 17),
    "dx": (BACKWARD, "dx[0, 21:22, 3, 3] += dy[0, 0, 0, 0] * w[0, 0, 0, 0]", 21),
    "dw": (BACKWARD, "dw[30:31, 2, 2, 2] *= -1", 30),
    "db": (BACKWARD, "db[9:10] -= dy[-1, 0, 0, 0]", 9),
}


@pytest.mark.parametrize("quantity", IN_LARGE)
def test_one_tap_or_one_entry_of_a_large_layer(tried, module, quantity: str) -> None:
    text, mistake, channel = IN_LARGE[quantity]
    outcome, (record,) = tried(module(text.format(mistake)), LARGE)
    (finding,) = outcome.findings
    assert (outcome.status, record["verdict"], finding.quantity) == (1, "failed", quantity)
    assert finding.index[0 if quantity in ("dw", "db") else 1] == channel
    assert finding.expected != finding.actual
    assert len(finding.index) == len(own_shape(LARGE).geometry.shape_of(quantity))


def test_by_projection_a_finding_names_the_channel(tried, monkeypatch, module) -> None:
    monkeypatch.setattr(shapes, "ENTRYWISE", 0)
    target = module(FORWARD.format("if x.shape == (2, 3, 6, 5): y[1, 3, 0, 1] += 1; y[0, 2, 1, 1] += 1"))
    (finding,) = tried(target, MIDDLE)[0].findings
    assert finding.summary == "y differs from the specification in 1 of 60 entries of channel 2"
    assert finding.index == [0, 2, 1, 1]
    assert float(finding.actual) == float(finding.expected) + 1
    assert "y differs in 2 of 4 channels (by random projection)" in finding.details


@pytest.mark.parametrize(
    ("body", "summary"),
    [
        (FORWARD.format("y = y[:, :-1]"), "y has shape"),
        (FORWARD.format("y[0, 0, 0, 0] = np.nan"), "y differs from the specification in 1 of"),
        (FORWARD.format("y[0, 0, 0, 0] += 0.25"), "y differs from the specification in"),
        (FORWARD.format("y[0, 0, 0, 0] = 1e30"), "y differs from the specification in 1 of"),
        (BACKWARD.format("raise IndexError('no')"), "backward raised IndexError: no"),
    ],
)
def test_misbehaviour_is_seen_by_projection_too(tried, monkeypatch, module, body: str, summary: str) -> None:
    monkeypatch.setattr(shapes, "ENTRYWISE", 0)
    outcome, _ = tried(module(body), "x=1,2,3,3 w=3,2,2,2")
    assert [f.summary.startswith(summary) for f in outcome.findings] == [True]


def test_only_the_proof_sees_what_happens_on_unit_vectors(tried, module) -> None:
    target = module(FORWARD.format("if np.count_nonzero(x) == 1 and x[0, 0, 1, 1] == 1: y[0, 0, 0, 0] += 1"))
    outcome, (record,) = tried(target, SMALL)
    (finding,) = outcome.findings
    assert (record["verdict"], finding.quantity, finding.index) == ("failed", "y", [0, 0, 0, 0])
    assert (float(finding.actual) - float(finding.expected), finding.wrong) == (1, 1)
    assert "[0, 0, 0, 0, 1, 0, 0, 0, 0]" in finding.reproducer


def test_what_is_not_linear_is_seen_where_the_other_examples_do_not_go(tried, module) -> None:
    limit = amplitudes("wide", "float64", products(own_shape(SMALL).geometry))["x"] // 3
    gate = f"if dy.dtype == 'f8' and 1 < abs(x).max() <= {limit}:"
    outcome, _ = tried(module(BACKWARD.format(f"{gate} dx[0, 0, 0, 0] += x[0, 0, 2, 2]")), SMALL)
    (finding,) = outcome.findings
    assert finding.summary.startswith("dx is not linear in ")
    assert finding.details[-1] == f"first seen at the shape {SMALL}"


def test_every_pair_is_among_the_unit_vectors() -> None:
    g = Geometry(1, 2, 1, (2, 3), (2, 2))
    pairs = {"y": ("x", "w"), "dx": ("dy", "w"), "dw": ("dy", "x")}
    for quantities in (["y"], ["dx", "dw", "db"], ["dx"], ["dw"], ["db"]):
        vectors = list(basis._unit_vectors(g, quantities))
        assert len(vectors) == basis._pairs(g, quantities)
        for quantity in quantities:
            for u, v in [pairs[quantity]] if quantity in pairs else [("dy", "dy")]:
                seen = {(a[u].tobytes(), a[v].tobytes()) for a in vectors if a[u].any() and a[v].any()}
                assert len(seen) == (vectors[0][u].size * vectors[0][v].size if u != v else vectors[0][u].size)


def test_an_indirect_algorithm_has_neither_bound_nor_proof(tried, module) -> None:
    text = HEAD + "ALGORITHM = 'indirect'\nfrom right import forward, backward\n"
    outcome, (record,) = tried(module(text), SMALL)
    assert (outcome.status, record["method"], record["log2_missed"]) == (0, "draws", {})
    assert record["reason"] == "no proof: an indirect algorithm rounds"


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ("x=1,4,5,5 w=2,2,2,2", "forward has no parameter for groups=2"),
        ("x=1,1,5,5 w=2,1,2,2 bias=false", "forward takes a bias always, and bias=False"),
        (
            "x=1,1,5,5 w=2,1,2,2 orientation=cross-correlation",
            "forward computes a convolution, not a cross-correlation",
        ),
        ("x=1,1,5,5 w=2,1,2,2 dtype=float32", "the target does not support float32"),
        ("x=2000000,1,1,1 w=1,1,1,1", ""),
    ],
)
def test_what_cannot_be_verified_is_no_pass(tried, module, shape: str, reason: str) -> None:
    target = module(HEAD + "DTYPES = ('float64',)\nfrom right import forward, backward\n")
    if not reason:
        target, reason = str(WRONG / "right.py"), "sums of 2000000 products leave no room for exact float32 data"
    outcome, records = tried(target, shape, SMALL)
    assert (outcome.status, outcome.end.verdict) == (2, "not verified")
    assert [record["verdict"] for record in records] == ["not verified", "passed"]
    assert records[0]["reason"].startswith(reason)
    assert list(outcome.checks["shapes"].not_supported) == [f"shape {shape}: {records[0]['reason']}"]


def test_what_the_target_left_out_is_no_pass(tried, module) -> None:
    target = module(BACKWARD.format("if dy.dtype == 'f4': raise NotImplementedError('float64 only')"))
    outcome, (record,) = tried(target, SMALL)
    assert (outcome.status, record["verdict"], record["method"]) == (2, "not verified", "draws")
    assert record["reason"] == "no result for " + ", ".join(f"{q} by backward in float32" for q in ("dx", "dw", "db"))


def test_a_shape_left_open_is_tried_in_both_orientations(tried) -> None:
    _, records = tried("numpy", "x=1,1,2,2 w=1,1,1,2 dtype=float64")
    assert [record["geometry"]["orientation"] for record in records] == ["convolution", "cross-correlation"]
    assert [(record["verdict"], record["dtypes"]) for record in records] == [("passed", ["float64"])] * 2


def test_from_python_a_geometry_will_do() -> None:
    geometry = Geometry(1, 1, 1, (2, 2), (1, 2))
    report = check(WRONG / "right.py", shapes=[geometry], checks=("shapes",), seed=1)
    (end,) = (event for event in report.events if isinstance(event, events.CheckFinished))
    assert report.passed
    assert [(record["shape"], record["method"]) for record in end.shapes] == [
        ("x=1,1,2,2 w=1,1,1,2 orientation=convolution bias=true", "proof")
    ]
    with pytest.raises(TypeError, match=r"shapes must be a list such as \['x=1,3,8,8 w=4,3,3,3'\], not 'x=1"):
        check("numpy", shapes="x=1,1,1,1 w=1,1,1,1")
    with pytest.raises(ValueError, match="w is missing"):
        check("numpy", shapes=["x=1,1,1,1"])
    with pytest.raises(ValueError, match="the check shapes needs a shape of yours"):
        check("numpy", checks=("shapes",))


def test_without_shapes_the_check_is_left_out(verify) -> None:
    outcome = verify(str(WRONG / "right.py"), checks=("symbolic",))
    assert "shapes" not in outcome.checks
    from backproof.options import RunOptions, chosen

    assert "shapes" not in {item.id for item in chosen(RunOptions("numpy"))}
    assert "shapes" in {item.id for item in chosen(RunOptions("numpy", shapes=(SMALL,)))}
