"""Every mistake of the library is named when a target makes it, and nothing is said of what none of them explains."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from backproof.cases.deltas import DeltaCase, Drawn, PointCase
from backproof.cases.levels import Case
from backproof.checks.bench import Bench, Found, Wrong
from backproof.contract import Geometry
from backproof.diagnosis import chain, diagnose
from backproof.diagnosis.library import MISTAKES, Mistake
from backproof.targets.calls import Request, Results

WRONG = Path(__file__).parent / "wrong"
GEOMETRY = Geometry(3, 4, 4, (5, 6), (2, 3), (2, 1), ((1, 0), (2, 1)), (1, 2), groups=2)
PLAIN = Geometry(3, 2, 2, (5, 6), (2, 3))
EXCHANGED = Geometry(2, 2, 2, (7, 7), (2, 2), stride=(2, 3), dilation=(3, 2))
STRIDES = Geometry(2, 2, 2, (5, 5), (2, 2), stride=(2, 3))
DILATIONS = Geometry(2, 2, 2, (5, 5), (2, 2), stride=(2, 2), dilation=(1, 2))
WRAPPED = Geometry(2, 2, 2, (3, 4), (2, 2), padding=((1, 0), (0, 2)), padding_mode="circular")


def explained(formula, quantity: str, geometry: Geometry) -> tuple[str, ...]:
    """The diagnosis of a target that computes `formula(geometry, int64 arrays)`."""

    def call(request: Request) -> Results:
        arrays = {role: array.astype(np.int64) for role, array in request.arrays.items()}
        return Results({quantity: formula(request.geometry, arrays).astype(np.float64)})

    binding = SimpleNamespace(refuses=lambda g: None, functions=(), bias="optional", specification="convolution")
    bench = Bench(
        target=SimpleNamespace(call=call, binding=binding),
        space=None,
        orientations=("convolution",),
        examples=0,
        seed=5,
        report=lambda found: None,
        progress=lambda done, total: None,
    )
    return diagnose(bench, Found(Wrong("value", quantity, "f", "differs"), Case(geometry), {}, 1))


def spoiled(mistake: Mistake, quantity: str):
    from backproof.cases.data import specified

    def formula(geometry: Geometry, arrays):
        try:
            return mistake.result(quantity, geometry, arrays)
        except ValueError:
            return specified(geometry, arrays)[quantity]

    return formula


NAMED = [
    pytest.param(mistake, quantity, id=mistake.sentence.format(q=quantity, this="conv", other="corr")[:60])
    for mistake in MISTAKES
    for quantity in mistake.quantities
]


@pytest.mark.parametrize(("mistake", "quantity"), NAMED)
def test_each_mistake_is_named(mistake: Mistake, quantity: str) -> None:
    for geometry in (GEOMETRY, PLAIN, WRAPPED, EXCHANGED, STRIDES, DILATIONS):
        sentence = mistake.sentence.format(q=quantity, this="convolution", other="cross-correlation")
        said = explained(spoiled(mistake, quantity), quantity, geometry)
        if said:
            assert said[0].startswith(sentence)
            return
    pytest.fail("no geometry showed it")


def test_what_no_mistake_explains_is_left_alone() -> None:
    from backproof.cases.data import specified

    def noisy(geometry: Geometry, arrays):
        y = specified(geometry, arrays)["y"].copy()
        y.flat[0] += 1 + y.size % 5
        return y

    assert explained(noisy, "y", PLAIN) == ()
    assert explained(lambda g, a: specified(g, a)["y"], "y", PLAIN) == ()


def test_rounding_is_called_rounding() -> None:
    from backproof.cases.data import specified

    (said,) = explained(lambda g, a: specified(g, a)["y"] + 1e-9, "y", PLAIN)
    assert said == "y is right up to rounding: declare ALGORITHM = 'indirect' for an FFT or Winograd"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("dw_not_rotated", "dw is the specification's, rotated by 180 degrees"),
        ("valid_deltas", "dx is a valid correlation of dy with the kernel; only a full one reaches every pixel"),
        ("other_orientation", "y uses the kernel rotated by 180 degrees: it is that of a cross-correlation, and a "),
        ("db_averaged", "db is divided by the batch size N"),
        ("w_read_as_packed", "y is right in C order, and wrong where w is laid out '"),
    ],
)
def test_findings_say_so(verify, name: str, sentence: str) -> None:
    findings = verify(str(WRONG / f"{name}.py"), checks=("exact",)).findings
    assert any(detail.startswith(sentence) for finding in findings for detail in finding.details)


# ---- the chain


def explained_chain(quantity: str, formula) -> tuple[str, ...]:
    """The diagnosis of a target that computes a formula of `diagnosis.chain`."""
    case = DeltaCase(Case(PLAIN), "square") if quantity == "delta" else PointCase((3, 2, 2, 2), "square")

    def call(request: Request) -> Results:
        fresh = type(case)(*((Case(request.geometry),) if quantity == "delta" else (request.geometry.shape,)))
        fresh = replace(fresh, activation=request.activation.removeprefix("our "))
        seen = chain._Seen(fresh, Drawn(dict(request.arrays), {}, {}), np.zeros(1))
        return Results({quantity: np.asarray(formula(seen))})

    bench = Bench(
        target=SimpleNamespace(call=call, binding=SimpleNamespace(refuses=lambda g: None, dtypes=("float64",))),
        space=None,
        orientations=("convolution",),
        examples=0,
        seed=5,
        report=lambda found: None,
        progress=lambda done, total: None,
    )
    return diagnose(bench, Found(Wrong("value", quantity, "f", "differs"), case, {}, 1))


CHAIN = [
    *(("delta", *mistake) for mistake in chain._factors(chain._dx)),
    *(("output delta", *mistake) for mistake in chain._factors(chain._difference)),
    *(("E", *mistake) for mistake in chain._errors()),
]


@pytest.mark.parametrize(("quantity", "sentence", "formula"), CHAIN, ids=[f"{q}: {s}" for q, s, _ in CHAIN])
def test_mistakes_of_the_chain_are_named(quantity: str, sentence: str, formula) -> None:
    told = f"{sentence.format(q=quantity)} (exactly so in 8 of 8 fresh cases)"
    assert explained_chain(quantity, formula) == (told,)


def test_the_layer_above_may_be_wrong_and_other_mistakes_are_not_explained() -> None:
    (told,) = explained_chain("delta", lambda seen: chain._mistaken(MISTAKES[1], seen))
    assert told.startswith("delta uses the kernel rotated by 180 degrees")
    assert explained_chain("output delta", lambda seen: chain._difference(seen) * seen.c**3 + 1) == ()
    assert explained_chain("E", lambda seen: (chain._difference(seen) ** 2).sum() / 2) == (), "nothing is wrong"
