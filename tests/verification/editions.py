"""A small edition made by hand: every kind of claim, verdict and erratum that a report must show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from backproof_spec.derivation.edition import (
    NO_FRAME,
    Assurance,
    Claim,
    Edition,
    Erratum,
    Example,
    Grid,
    Product,
    Repair,
    Row,
    Severity,
)
from backproof_spec.proof.verdict import Counterexample, Entry, Status, Verdict

FRAMES = {
    "FULL": "every pixel that one tap reaches: 0 .. H + N - 2",
    "VALID_U": "valid pixels under their own numbers: N - 1 .. H - 1",
    "VALID_S": "valid pixels moved to the top left by N - 1: 0 .. H - N",
}
PROVED = Verdict(Status.PROVED, 0.021)
ONE_TAP = {"H": 2, "W": 2, "N_w": 2, "units_prev": 1, "units": 1}


def refuted(
    sizes: Mapping[str, int], indices: Mapping[str, int], entries: Mapping[Entry, int], left: int, right: int
) -> Verdict:
    boxes = {name: tuple((0, k + 1) for k in index) for name, index in entries}
    example = Counterexample(sizes, indices, entries, Fraction(left), Fraction(right), boxes)
    return Verdict(Status.REFUTED, 0.31, example)


def false(sizes: Mapping[str, int], indices: Mapping[str, int]) -> Verdict:
    """A condition on integers that does not hold: no values to compare."""
    return Verdict(Status.REFUTED, 0.01, Counterexample(sizes, indices, {}, None, None))


def in_frames(full: Verdict, valid: Verdict, shifted: Verdict) -> dict[str, Verdict]:
    return dict(zip(FRAMES, (full, valid, shifted), strict=True))


EVERYWHERE = in_frames(PROVED, PROVED, PROVED)

# --- single input: holds as long as the numbering is left alone ---

SINGLE = (
    r"i_{n,m}^l\left(x,\, y \right) = \sum_{x',\, y'} o_{n}^{l-1}\left(x-x',\, y-y'\right)"
    r" \cdot w_{n,m}^{l}\left(x',\, y' \right)"
)
MOVED = r"\sum_{x',\, y'} o_{n}^{l-1}\left(x+N_w-1-x',\, y+N_w-1-y'\right) \cdot w_{n,m}^{l}\left(x',\, y' \right)"
SINGLE_INPUT = Claim(
    id="single-input",
    title="Single input",
    section="Feed-Forward",
    place="display 3",
    in_post=True,
    tex=SINGLE,
    explanation="One image convolved with one kernel. The sum runs over the kernel's pixels, 0 .. N_w - 1.",
    ranges=(r"0 \le n < M^{l-1}", r"0 \le m < M^l"),
    assumptions=("x', y' run over the kernel",),
    rows=(
        Row(
            id="single-input.1",
            tex=SINGLE,
            encoding="Sum(o_prev[n, -x' + x, -y' + y]*w[n, m, x', y'], (x', 0, N_w - 1), (y', 0, N_w - 1))",
            reason="the definition, with pixels numbered by the frame",
            verdicts=in_frames(
                PROVED,
                PROVED,
                refuted(ONE_TAP, {"x": 0, "y": 0}, {("o_prev", (0, 0, 0)): 1, ("w", (0, 0, 1, 1)): 1}, 1, 0),
            ),
            reading=EVERYWHERE,
            repairs={"VALID_S": Repair(MOVED, 31, {"VALID_S": PROVED})},
        ),
    ),
    example=Example(
        frame="FULL",
        sizes={"H": 3, "W": 3, "N_w": 2},
        index={"x": 1, "y": 1},
        inputs=(
            Grid("o_prev", "o_n^{l-1}", (0, 0), (("1", "2", "0"), ("0", "3", "-1"), ("4", "1", "2"))),
            Grid("w", "w_{n,m}^l", (0, 0), (("1", "-2"), ("0", "2"))),
        ),
        output=Grid(
            "i",
            "i_{n,m}^l",
            (0, 0),
            (("1", "0", "-4", "0"), ("0", "5", "-3", "2"), ("4", "-7", "6", "-6"), ("0", "8", "2", "4")),
        ),
        cell=(1, 1),
        products=(
            Product("1", (("o_prev", (1, 1)), ("w", (0, 0))), ("3", "1")),
            Product("1", (("o_prev", (1, 0)), ("w", (0, 1))), ("0", "-2")),
            Product("1", (("o_prev", (0, 1)), ("w", (1, 0))), ("2", "0")),
            Product("1", (("o_prev", (0, 0)), ("w", (1, 1))), ("1", "2")),
        ),
        value="5",
    ),
    checks=("exact", "symbolic"),
    equation="single-input",
)

# --- the derivative of the next layer's complete input: two lines of the derivation are wrong ---

BY_C = r"\frac{\partial}{\partial c_{m}^{l}\left(x,\, y\right)}"
LEFT = r"\frac{\partial c_{o}^{l+1}\left(x+x',\, y+y'\right)}{\partial c_{m}^{l}\left(x,\, y\right)}"
SLOPE = r"\frac{\partial a\left(c_{m}^{l}\left(x,\, y\right)\right)}{\partial c_{m}^{l}\left(x,\, y\right)}"
LIMITS = r"\sum_{m'}\sum_{\, x'',\, y''}^{N_{w},N_{w}}"
LINES = (
    BY_C
    + rf"\left({LIMITS}o_{{m'}}^{{l}}\left(x+x'-x'',\, y+y'-y''\right)"
    + r"\cdot w_{m',o}^{l+1}\left(x'',\, y''\right)\right)",
    BY_C
    + r"\left(w_{0,o}^{l+1}\left(0,\,0\right)\cdot a\left(c_{0}^{l}\left(x'-0,\, y'-0\right)\right)+\ldots"
    + r"+w_{m,o}^{l+1}\left(x'',\, y''\right)\cdot a\left(c_{m}^{l}\left(x,\, y\right)\right)+\ldots\right)",
    r"w_{m,o}^{l+1}\left(x+x',\, y+y'\right)\cdot" + SLOPE,
)
REPAIRED = r"w_{m,o}^{l+1}\left(x',\, y'\right)\cdot" + SLOPE
SHIFTED_WEIGHT = refuted(
    {"H": 1, "W": 2, "N_w": 1, "units": 1, "units_next": 1},
    {"m": 0, "x": 0, "y": 1, "p": 0, "x'": 0, "y'": 0},
    {("w_next", (0, 0, 0, 0)): 1, ("a'(c)", (0, 0, 1)): 1},
    1,
    0,
)
DELTA_STEP = Claim(
    id="delta-step",
    title="How a pixel acts on the next layer",
    section="Backpropagation: Deltas",
    place="display 12",
    in_post=True,
    tex=r"\begin{aligned} " + LEFT + " &= " + r" \\ &= ".join(LINES) + r" \end{aligned}",
    explanation="The bias of the next layer is left out, which no derivative sees. `N_w` is the size of its kernels.",
    ranges=(r"0 \le x' < N_w", r"0 \le y' < N_w"),
    assumptions=(),
    rows=(
        Row(
            id="delta-step.1",
            tex=LINES[0],
            reason="the definition of the complete input substituted",
            verdicts=EVERYWHERE,
            reading=EVERYWHERE,
        ),
        Row(
            id="delta-step.2",
            tex=LINES[1],
            reason="the sum written out; each term shown must be one of the sum's",
            verdicts=dict.fromkeys(
                FRAMES,
                refuted(
                    {"H": 2, "W": 1, "N_w": 1},
                    {"x": 1, "y": 0, "x'": 0, "y'": 0},
                    {("w_next", (0, 0, 0, 0)): 1, ("a(c)", (0, 0, 0)): 1},
                    0,
                    1,
                ),
            ),
            reading=EVERYWHERE,
            among=True,
        ),
        Row(
            id="delta-step.3",
            tex=LINES[2],
            reason="only the term with $x''=x'$ depends on this pixel",
            verdicts=dict.fromkeys(FRAMES, SHIFTED_WEIGHT),
            reading=EVERYWHERE,
            repairs={frame: Repair(REPAIRED, 26, {frame: PROVED}) for frame in FRAMES},
        ),
    ),
    notes=(r"$x''$ is used outside the sum that binds it.", r"The sum over $x'', y''$ has no lower limit."),
    checks=("exact",),
)

# --- rot180 ---

ROT180 = (
    r"\frac{\partial E}{\partial w_{n,m}^{l}\left(x,\, y\right)} = \operatorname{rot}_{180}\left("
    r"\underbrace{\sum_{x',y'} o_{n}^{l-1}\left( x + x',\, y + y' \right) \cdot "
    r"\delta_{m}^{l}\left(x',\, y' \right)}_{\text{Cross-Correlation}}\right)"
)
WEIGHTS = Claim(
    id="weight-gradient-rot180",
    title="The weight gradient as a correlation",
    section="Backpropagation: Weight Update",
    place="display 10",
    in_post=True,
    tex=ROT180,
    explanation="The rotation is an operation on the whole kernel: its entry $(x, y)$ is that at $(N_w-1-x, N_w-1-y)$.",
    ranges=(r"0 \le x < N_w", r"0 \le y < N_w"),
    assumptions=("E reaches the weights through c alone (chain rule)",),
    claimed=("VALID_S",),
    rows=(
        Row(
            id="weight-gradient-rot180.1",
            tex=ROT180,
            reason="the gradient read from its end",
            verdicts=in_frames(
                refuted(
                    {"H": 1, "W": 1, "N_w": 2},
                    {"x": 0, "y": 0},
                    {("o_prev", (0, 0, 0)): 1, ("delta", (0, 0, 0)): 1},
                    1,
                    0,
                ),
                refuted(ONE_TAP, {"x": 0, "y": 0}, {("o_prev", (0, 1, 1)): 1, ("delta", (0, 1, 1)): 1}, 1, 0),
                PROVED,
            ),
            reading=EVERYWHERE,
        ),
    ),
    example=Example(
        frame="FULL",
        sizes={"H": 2, "W": 2, "N_w": 2},
        index={"x": 0, "y": 1},
        inputs=(
            Grid("o_prev", "o_n^{l-1}", (0, 0), (("1", "2"), ("3", "4"))),
            Grid("delta", r"\delta_m^l", (0, 0), (("1", "0", "2"), ("0", "-1", "0"), ("1", "0", "1/2"))),
        ),
        output=Grid("dw", r"\partial E/\partial w", (0, 0), (("-3", "0"), ("5/2", "1"))),
        cell=(0, 1),
        products=(
            Product("2", (("o_prev", (0, 1)), ("delta", (0, 2))), ("2", "2")),
            Product("-1", (("o_prev", (1, 1)), ("delta", (1, 1))), ("4", "-1")),
            Product("1", (("o_prev", (1, 2)), ("delta", (2, 2))), ("0", "1/2")),
            Product("-6", (("o_prev", (0, 1)),), ("2",)),
        ),
        value="0",
    ),
    notes=("rot180 turns an array, and is applied to one entry.",),
    checks=("exact", "finite-differences"),
)

# --- remarks, and what the post does not say ---

BAND = Claim(
    id="undefined-pixels",
    title="Pixels for which the kernel leaves the image",
    section="Convolution & (Cross-) Correlation",
    place="text",
    in_post=True,
    tex=r"\left( x,y \right) \in \left\{ \left( 0, 0 \right) \ldots \left( N_k - 1, N_k - 1 \right) \right\}",
    explanation="The true set is a band along two edges, not a square.",
    ranges=(r"0 \le x < H", r"0 \le y < W"),
    assumptions=("N_k is at most H and W",),
    rows=(
        Row(
            id="undefined-pixels.1",
            tex=r"x \le N_k-1 \wedge y \le N_k-1",
            reason="some tap leaves the image exactly here",
            verdicts={NO_FRAME: false({"H": 1, "W": 1, "N_w": 1}, {"x": 0, "y": 0})},
            reading={},
            repairs={NO_FRAME: Repair(r"x < N_k-1 \vee y < N_k-1", 12, {NO_FRAME: PROVED})},
        ),
    ),
)
IDEA = Claim(
    id="fewer-weights",
    title="A convolution layer has fewer weights than a dense one",
    section="The idea",
    place="text",
    in_post=True,
    tex="",
    explanation="Per pair of units: N_w by N_w weights instead of one per pair of pixels.",
    ranges=(),
    assumptions=(),
    rows=(
        Row("fewer-weights.1", r"N_w^2 \le H\,W\,H'\,W'", "counted", {NO_FRAME: PROVED}, {}),
        Row(
            id="fewer-weights.2",
            tex=r"N_w^2 < H\,W\,H'\,W'",
            reason="fewer, and not as many",
            verdicts={NO_FRAME: false({"H": 1, "W": 1, "N_w": 1}, {})},
            reading={},
            stated=False,
        ),
    ),
)
MEAN = Claim(
    id="mean-pooling",
    title="Mean pooling with blocks of any size",
    section="Beyond the post: pooling",
    place="not in the post",
    in_post=False,
    tex=r"\frac{1}{k_h k_w} \delta\left(\left\lfloor \frac{x}{k_h} \right\rfloor, \lfloor y / k_w \rfloor\right)",
    explanation="Each pixel gets its share of the error.",
    ranges=(),
    assumptions=(),
    rows=(
        Row(
            id="mean-pooling.1",
            tex=r"\frac{1}{k_h k_w} \delta\left(\left\lfloor \frac{x}{k_h} \right\rfloor, y\right)",
            reason="adjoint of the mean",
            verdicts=dict.fromkeys(FRAMES, Verdict(Status.OPEN, 0.02, reason="the factor 1/k is not an integer")),
            reading=EVERYWHERE,
        ),
    ),
)

EDITION = Edition(
    claims=(IDEA, BAND, SINGLE_INPUT, WEIGHTS, DELTA_STEP, MEAN),
    errata=(
        Erratum(
            "undefined-pixels", "undefined-pixels.1", Severity.WRONG, (NO_FRAME,), None, BAND.rows[0].repairs[NO_FRAME]
        ),
        Erratum("delta-step", "delta-step.2", Severity.WRONG, tuple(FRAMES), None, None),
        Erratum(
            "delta-step",
            "delta-step.3",
            Severity.WRONG,
            tuple(FRAMES),
            SHIFTED_WEIGHT.counterexample,
            DELTA_STEP.rows[2].repairs["FULL"],
        ),
        Erratum(
            "single-input",
            "single-input.1",
            Severity.FRAME,
            ("VALID_S",),
            None,
            SINGLE_INPUT.rows[0].repairs["VALID_S"],
        ),
        *(Erratum("delta-step", "", Severity.NOTATION, (), None, None, note) for note in DELTA_STEP.notes),
    ),
    assurances=(
        Assurance("assumed", "The chain rule for an arbitrary differentiable E."),
        Assurance("trusted code", "The decision procedure and `z3`.", "spec/backproof_spec/proof"),
        Assurance("swept", "Every shape up to 5 x 5.", "tests/spec/test_sweep.py"),
        Assurance("open", "Activations that are not differentiable everywhere."),
    ),
    seconds=12.5,
    frames=FRAMES,
    versions={"sympy": "1.14.0", "z3-solver": "4.15.0"},
)


def large(claims: int = 90, lines: int = 4) -> Edition:
    """Twice as many claims and lines as a real edition, most of them refuted; no two claims have the same formula."""

    def claim(number: int) -> Claim:
        rows = tuple(
            replace(DELTA_STEP.rows[k % 3], id=f"claim-{number}.{k + 1}", tex=f"{LINES[k % 3]} + {number % 10}")
            for k in range(lines)
        )
        tex = rf"\delta_{{{number}}} = \sum_{{x',\, y'}} o_{{n}}^{{l-1}}\left(x-x',\, y-{number}\right)"
        return replace(DELTA_STEP, id=f"claim-{number}", tex=tex, rows=rows, example=SINGLE_INPUT.example)

    return replace(EDITION, claims=tuple(map(claim, range(claims))), errata=())
