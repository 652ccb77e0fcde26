"""What the verdicts rest on: assumptions, the code that has to be believed, and what was only tried."""

from __future__ import annotations

from backproof_spec.derivation.edition import Assurance

ASSURANCES: tuple[Assurance, ...] = (
    Assurance(
        "assumed",
        "The chain rule for an error E that is any differentiable function of the complete inputs. That the sums "
        "of the post leave nothing out is proved; the composite of two layers is proved without it.",
        "backproof_spec.proof.terms",
    ),
    Assurance(
        "assumed",
        "Zero extension: a tensor is 0 outside its image, and so are a(c) and a'(c), whatever a(0) may be.",
        "backproof_spec.proof.language",
    ),
    Assurance(
        "assumed",
        "Real arithmetic: rounding, overflow, NaN and infinity are for the checks of `backproof check`.",
    ),
    Assurance("assumed", "The activation is differentiable where it is used: not ReLU at 0, not a maximum with ties."),
    Assurance(
        "assumed",
        "Induction over the layers: that output delta and recursion give the deltas of every layer is the usual "
        "argument from the two proved steps; it is not mechanised.",
    ),
    Assurance(
        "trusted code",
        "Expressions to sums of products: limits, boxes, definitions, the product rule.",
        "backproof_spec.proof.terms",
    ),
    Assurance(
        "trusted code",
        "Coefficient functions: elimination of bound indices, counting over intervals.",
        "backproof_spec.proof.coefficients",
    ),
    Assurance(
        "trusted code",
        "z3 for integer arithmetic, and the translation to it. Refutations do not rest on it: each is evaluated again.",
        "backproof_spec.proof.integers",
    ),
    Assurance(
        "trusted code",
        "SymPy for integer polynomials in indices (expand, coefficients); none of its sums, derivatives or "
        "simplifiers.",
    ),
    Assurance(
        "trusted code",
        "What each letter means in each frame: the settings of the claims.",
        "backproof_spec.derivation.layers",
    ),
    Assurance(
        "trusted code",
        "LaTeX to trees, trees to expressions. It can fail to notice that a display and its encoding differ, and "
        "no more.",
        "backproof_spec.derivation.latex, .reading",
    ),
    Assurance(
        "defended by",
        "An interpreter that shares no code with the above: every counterexample is evaluated by it, and proved "
        "equations are tried on random numbers.",
        "backproof_spec.proof.interpret",
    ),
    Assurance(
        "defended by",
        "Several hundred equations changed on purpose: each is refuted, or proved and then tried on random numbers.",
        "tests/spec/test_proof_mutants.py",
    ),
    Assurance(
        "defended by",
        "A sweep over all small shapes: E of a net of two layers differentiated directly, compared as polynomials "
        "with the deltas and gradients of the post, for every activation; its table of frames must equal that of "
        "the proofs.",
        "backproof_spec.proof.sweep",
    ),
    Assurance("proved", "Every verdict 'proved': for all sizes, all indices in range, all values of all tensors."),
    Assurance("swept", "Nothing is called proved that was only swept."),
    Assurance("open", "Arbitrary depth (see above), and everything that is marked open in a row."),
)
