"""Every proved line of every claim with one thing wrong: what is refuted differs, and what is proved is still true.

By default a sample, some of each claim in one frame; `-m slow` takes all frames and all mutants, but for a few claims
of which each mutant takes seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from spec.mutants import Mutant, holds_at, instances, mutants, mutants_of_meaning, refutes

from backproof_spec.derivation.claims import CLAIMS
from backproof_spec.derivation.judge import frames_of
from backproof_spec.proof.prove import Fact, Identity, prove
from backproof_spec.proof.verdict import Status

#: How many mutants of a claim to try by default; eight times as many in the slow run, in every frame.
SAMPLE = 10
#: Of these a mutant takes a second rather than a tenth: fewer of them.
HARD = {
    "general-input-gradient": 1,
    "general-weight-gradient": 2,
    "general-bias-gradient": 5,
    "transposed-convolution": 2,
    "pooling-windows": 3,
    "max-pooling-gradient": 4,
    "flatten": 2,
    "update-rule": 4,
    "two-layers": 5,
    "wrap-padding": 6,
}
MEANING = ("single-input", "complete-input", "weight-gradient", "negative-offset", "deltas", "two-layers")


def proved(identifier: str, every_frame: bool) -> Iterator[Identity | Fact]:
    """The lines of a claim that are proved: in each frame, or in the first in which they are."""
    statement = CLAIMS[identifier]
    for line in statement.lines:
        for frame in frames_of(statement).values():
            obligation, verdict = line.obligation(frame), prove(line.obligation(frame))
            assert verdict.status is not Status.OPEN, verdict.reason
            if verdict.status is Status.PROVED:
                yield obligation
                if not every_frame:
                    break


def sample(found: list[Mutant], wanted: int) -> list[Mutant]:
    """About `wanted` of them, evenly."""
    wanted = min(wanted, len(found))
    return [found[k * len(found) // wanted] for k in range(wanted)]


def judged(tried: list[Mutant]) -> Counter[Status]:
    """The verdicts about mutants, each found to be right."""
    counts: Counter[Status] = Counter()
    for number, mutant in enumerate(tried):
        claim, verdict = mutant.obligation, prove(mutant.obligation)
        counts[verdict.status] += 1
        if verdict.status is Status.REFUTED:
            assert verdict.counterexample is not None
            assert refutes(verdict.counterexample, claim), mutant.what
        elif verdict.status is Status.PROVED:
            cases = instances(claim, wanted=6, seed=number)
            assert cases, f"no instance of {mutant.what}"
            for seed, values in enumerate(cases):
                assert holds_at(claim, values, seed), f"{mutant.what} is proved, but false at {values}"
        else:
            assert any(words in verdict.reason for words in ("vacuous", "counted", "z3")), verdict.reason
    return counts


def told_apart(counts: Counter[Status], share: float) -> None:
    """Few are open, and a share at least is refuted: a prover that accepts every mutant has proved nothing."""
    assert counts[Status.OPEN] <= 1 + counts.total() // 20, counts
    assert counts[Status.REFUTED] >= int(share * counts.total()), counts


def mutants_of(identifier: str, every_frame: bool) -> list[Mutant]:
    return [mutant for claim in proved(identifier, every_frame) for mutant in mutants(claim)]


@pytest.mark.parametrize("identifier", CLAIMS)
def test_mutants_of_a_claim(identifier: str) -> None:
    tried = sample(mutants_of(identifier, every_frame=False), HARD.get(identifier, SAMPLE))
    told_apart(judged(tried), share=1 / 6)


def test_the_sample_is_large() -> None:
    """Of some 450 mutants, more than four in five are refuted."""
    assert sum(HARD.get(identifier, SAMPLE) for identifier in CLAIMS) >= 400


@pytest.mark.parametrize("identifier", MEANING)
def test_mutants_of_what_a_claim_means(identifier: str) -> None:
    claims = [claim for claim in proved(identifier, every_frame=False) if isinstance(claim, Identity)]
    told_apart(judged(sample([m for claim in claims for m in mutants_of_meaning(claim)], 8)), share=1 / 4)


@pytest.mark.slow
@pytest.mark.parametrize("identifier", CLAIMS)
def test_many_mutants_of_a_claim(identifier: str) -> None:
    found = mutants_of(identifier, every_frame=True)
    tried = sample(found, 8 * HARD.get(identifier, SAMPLE))
    told_apart(judged(tried), share=1 / 6)


@pytest.mark.slow
@pytest.mark.parametrize("identifier", MEANING)
def test_more_mutants_of_what_a_claim_means(identifier: str) -> None:
    claims = [claim for claim in proved(identifier, every_frame=True) if isinstance(claim, Identity)]
    told_apart(judged(sample([m for claim in claims for m in mutants_of_meaning(claim)], 60)), share=1 / 4)
