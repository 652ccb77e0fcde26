"""Two opinions that share only the formulas: proofs for all sizes, and polynomial identities at every small shape."""

from __future__ import annotations

import pytest

from backproof_spec.derivation.claims import CLAIMS
from backproof_spec.model import FRAMES
from backproof_spec.proof.prove import prove
from backproof_spec.proof.sweep import EQUATIONS, QUICK, sweep
from backproof_spec.proof.verdict import Status


@pytest.fixture(scope="module")
def swept() -> dict[tuple[str, str], bool]:
    return {key: outcome.holds for key, outcome in sweep(*QUICK).table.items()}


def test_the_sweep_speaks_about_claims() -> None:
    assert set(EQUATIONS) <= {statement.equation for statement in CLAIMS.values()}


@pytest.mark.parametrize("identifier", EQUATIONS)
@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.name)
def test_both_agree(identifier: str, frame, swept: dict[tuple[str, str], bool]) -> None:
    (claim,) = (statement for statement in CLAIMS.values() if statement.equation == identifier)
    lines = [line for line in claim.lines if line.at]
    proved = all(prove(line.obligation(frame)).status is Status.PROVED for line in lines)
    assert proved == swept[identifier, frame.name]
