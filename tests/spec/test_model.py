from __future__ import annotations

import pytest
import sympy as sp

from backproof_spec import EQUATIONS, FULL, VALID_S, VALID_U, Equation, Source, Tensor
from backproof_spec.model import Axis, instance, integers

H, N = integers("H N")


@pytest.mark.parametrize(
    ("frame", "lower", "size"), [(FULL, 0, 6), (VALID_U, 2, 2), (VALID_S, 0, 2)], ids=["full", "valid", "shifted"]
)
def test_frames_of_a_4_pixel_image_and_a_3_pixel_kernel(frame, lower, size) -> None:
    axis = frame.axis(sp.Integer(4), sp.Integer(3))
    assert (axis.lower, axis.size) == (lower, size)


def test_an_equation_cannot_read_what_it_does_not_declare() -> None:
    y, x = Tensor("y", (Axis(H),)), Tensor("x", (Axis(H),))
    i = integers("i")
    with pytest.raises(ValueError, match=r"reads tensors \['x'\] that it does not declare"):
        Equation("e", "e", Source("s", "t"), (y,), y[i], x[i], (H,))
    with pytest.raises(ValueError, match=r"uses \['N'\], neither an index nor a parameter"):
        Equation("e", "e", Source("s", "t"), (y, x), y[i], N * x[i], (H,))


def test_the_posts_complete_input_is_the_general_equation_with_its_parameters_fixed() -> None:
    """Symbol for symbol, for all sizes: unit stride and dilation, one group, padding N_w - 1, flipped taps."""
    from backproof_spec.equations import general as g
    from backproof_spec.equations import symbols as s

    post = EQUATIONS["complete-input"]
    fixed = {g.G: 1, g.CG: s.L0, g.OG: s.L1, g.KH: s.NW, g.KW: s.NW, g.PT: s.NW - 1, g.PL: s.NW - 1}
    fixed |= dict.fromkeys((g.SH, g.SW, g.DH, g.DW), 1) | {g.FLIP: 1, g.WRAP: 0}
    indices = {g.o: s.m, g.i: s.x, g.j: s.y}
    rhs = instance(g.FORWARD.rhs, {**fixed, **indices})
    rhs = rhs.subs(sp.floor(s.m / s.L1), 0)  # m < L1: there is one group

    o_prev, w, b = (post.tensor(name) for name in ("o_prev", "w", "b"))
    as_post = {"x": lambda _, q, r, c: o_prev[q, r, c], "w": lambda o, c, u, v: w[c, o, u, v], "b": lambda o: b[o]}
    rhs = rhs.replace(sp.Indexed, lambda base, *index: as_post[str(base)](*index))
    bound = {g.c: s.n, g.u: s.xs, g.v: s.ys}
    total, bias = (next(part for part in rhs.args if isinstance(part, kind)) for kind in (sp.Sum, sp.Indexed))
    renamed = sp.Sum(total.function.xreplace(bound), *((bound[v], lo, hi) for v, lo, hi in total.limits))
    assert renamed + bias == post.rhs
