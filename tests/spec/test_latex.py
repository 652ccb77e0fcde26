"""LaTeX to trees and back: the post's displays, further forms, errors; what a strict reader objects to."""

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backproof_spec.derivation.latex import LatexError, read_display, read_formula, write
from backproof_spec.derivation.scope import scope_notes
from backproof_spec.derivation.tree import (
    Brace,
    Call,
    Display,
    Dots,
    Floor,
    Fraction,
    Index,
    Max,
    Minus,
    Name,
    Node,
    Number,
    PartialDerivative,
    Plus,
    Power,
    Product,
    Read,
    Rotation,
    Sum,
)
from backproof_spec.displays import DISPLAYS

# The displays as the post prints them, spacing included; only long lines are broken.
POST = {
    "convolution": r"""
v\left(x,y\right) = \sum_{x_{k}=0}^{N_{k}-1}
  \sum_{y_{k}=0}^{N_{k}-1}i\left(x-x_{k},y-y_{k}\right)k\left(x_{k},y_{k}\right)
""",
    "cross-correlation": r"""
l\left(x,y\right) = \sum_{x_{k}=0}^{N_{k}-1}
  \sum_{y_{k}=0}^{N_{k}-1}i\left(x+x_{k},y+y_{k}\right)k\left(x_{k},y_{k}\right)
""",
    "single-input": r"""
i_{n,m}^l\left(x,\, y \right) = \sum_{x',\, y'} o_{n}^{l-1}\left(x-x',\, y-y'\right)
  \cdot w_{n,m}^{l}\left(x',\, y' \right)
""",
    "complete-input": r"""
\begin{aligned} c_{m}^l\left(x,\, y\right) \, & = \sum_{n} i_{n,m}^{l}\left(x,\,y\right) + b_{m}^{l} \\
  &= \sum_{n,\, x',\, y'} o_{n}^{l-1}\left(x-x',\, y-y'\right)
  \cdot w_{n,m}^{l}\left(x',\, y' \right) + b_{m}^{l} \end{aligned}
""",
    "output": r"o_{m}^{l}\left(x,\, y\right) = a\left(c_{m}^{l}\left(x,\, y\right)\right)",
    "error": r"E = \frac{1}{2} \left( t - o^L \right)^{2} ",
    "weight-update": r"""
\frac{\partial E}{\partial w_{n,m}^{l}\left(x,\, y\right)} = \sum_{x',y'}\underbrace{
  \frac{\partial E}{\partial c_{m}^{l}\left(x',\, y'\right)}}_{\delta_{m}^{l}\left(x',\, y' \right)} \cdot
  \frac{\partial c_{m}^{l}\left(x',\, y'\right)}{\partial w_{n,m}^{l}\left(x,\, y\right)}
""",
    "weight-update-expansion": r"""
\begin{aligned}
\frac{\partial c_{m}^{l}\left(x',\, y'\right)}{\partial w_{n,m}^{l}\left(x,\, y\right)} &=
  \frac{\partial}{\partial w_{n,m}^{l}\left(x,\, y\right)} \left(
  \sum_{n,\, x'',\, y''} o_{n}^{l-1}\left(x'-x'',\, y'-y''\right)
  \cdot w_{n,m}^{l}\left(x'',\, y'' \right) + b_{m}^{l} \right) \\
  &= \frac{\partial}{\partial w_{n,m}^{l}\left(x,\, y\right)} \left( o_{0}^{l-1}\left( x'-0,\, y'-0 \right)
  \cdot w_{0,m}^{l}\left( 0, \, 0 \right) + \ldots + o_{n}^{l-1}\left( x' - x,\, y' - y \right)
  \cdot w_{n,m}^{l} \left( x,\, y \right) + \ldots + b_{m}^{l} \right) \\
  &= o_{n}^{l-1}\left( x'-x,\, y' - y \right)
\end{aligned}
""",
    "weight-gradient": r"""
\frac{\partial E}{\partial w_{n,m}^{l}\left(x,\, y\right)} = \sum_{x',y'} o_{n}^{l-1}\left( x'-x,\, y' - y \right)
  \cdot \delta_{m}^{l}\left(x',\, y' \right)
""",
    "weight-gradient-rot180": r"""
\frac{\partial E}{\partial w_{n,m}^{l}\left(x,\, y\right)} = \operatorname{rot}_{180}\left(\underbrace{
  \sum_{x',y'} o_{n}^{l-1}\left( x + x',\, y + y' \right)
  \cdot \delta_{m}^{l}\left(x',\, y' \right)}_{\text{Cross-Correlation}}\right)
""",
    "deltas-chain": r"""
\delta_{m}^{l}\left(x,\: y\right)=\frac{\partial E}{\partial c_{m}^{l}\left(x,\, y\right)}=\sum_{o}
  \sum_{\, x',\, y'}^{N_{w},N_{w}}\underbrace{
  \frac{\partial E}{\partial c_{o}^{l+1}\left(x+x',\, y+y'\right)}}_{\delta_{o}^{l+1}\left(x+x',\, y+y'\right)}\cdot
  \frac{\partial c_{o}^{l+1}\left(x+x',\, y+y'\right)}{\partial c_{m}^{l}\left(x,\, y\right)}
""",
    "deltas-expansion": r"""
\begin{aligned}

\frac{\partial c_{o}^{l+1}\left(x+x',\, y+y'\right)}{\partial c_{m}^{l}\left(x,\, y\right)} & =
  \frac{\partial}{\partial c_{m}^{l}\left(x,\, y\right)}\left(\sum_{m'}
  \sum_{\, x'',\, y''}^{N_{w},N_{w}}o_{m'}^{l}\left(x+x'-x'',\, y+y'-y''\right)
  \cdot w_{m',o}^{l+1}\left(x'',\, y''\right)\right)\\
 & =\frac{\partial}{\partial c_{m}^{l}\left(x,\, y\right)}\left(\sum_{m'}
  \sum_{\, x'',\, y''}^{N_{w},N_{w}}a\left(c_{m'}^{l}\left(x+x'-x'',\, y+y'-y''\right)\right)
  \cdot w_{m',o}^{l+1}\left(x'',\, y''\right)\right)\\
 & =\frac{\partial}{\partial c_{m}^{l}\left(x,\, y\right)}\left(w_{0,o}^{l+1}\left(0,\,0\right)
  \cdot a\left(c_{0}^{l}\left(x'-0,\, y'-0\right)\right)+\ldots+w_{m,o}^{l+1}\left(x'',\, y''\right)
  \cdot a\left(c_{m}^{l}\left(x,\, y\right)\right)+\ldots\right)\\
 & =w_{m,o}^{l+1}\left(x+x',\, y+y'\right)
  \cdot\frac{\partial a\left(c_{m}^{l}\left(x,\, y\right)\right)}{\partial c_{m}^{l}\left(x,\, y\right)}

\end{aligned}
""",
    "deltas": r"""
\delta_{m}^{l}\left(x,\: y\right)=\underbrace{\sum_{o}
  \sum_{\, x',\, y'}^{N_{w},N_{w}}\delta_{o}^{l+1}\left(x+x',\, y+y'\right)
  \cdot w_{m,o}^{l+1}\left(x',\, y'\right)}_{\text{Cross-Correlation, Backpropagated Error}}
  \cdot\frac{\partial a\left(c_{m}^{l}\left(x,\, y\right)\right)}{\partial c_{m}^{l}\left(x,\, y\right)}
""",
}

# What a strict reader objects to: (kind, right-hand side, a name in the sentence).
NOTES = {
    "convolution": [],
    "cross-correlation": [],
    "single-input": [("limits", 0, "x', y'")],
    "complete-input": [("limits", 0, "n"), ("limits", 1, "n, x', y'")],
    "output": [],
    "error": [],
    "weight-update": [("limits", 0, "x', y'")],
    "weight-update-expansion": [("captured", 0, "n"), ("limits", 0, "n, x'', y''")],
    "weight-gradient": [("limits", 0, "x', y'")],
    "weight-gradient-rot180": [("array", 0, r"\operatorname{rot}_{180}"), ("limits", 0, "x', y'")],
    "deltas-chain": [("limits", 1, "o"), ("lower limit", 1, "x', y'")],
    "deltas-expansion": [
        ("limits", 0, "m'"),
        ("lower limit", 0, "x'', y''"),
        ("clash", 0, "o"),
        ("limits", 1, "m'"),
        ("lower limit", 1, "x'', y''"),
        ("escapes", 2, "x''"),
        ("escapes", 2, "y''"),
    ],
    "deltas": [("limits", 0, "o"), ("lower limit", 0, "x', y'")],
}

a, b, c, e, h, i, k, l, m, n, o, s, t, w, x, y, E = map(Name, "abcehiklmnostwxyE")  # noqa: E741
x1, y1, NW, DELTA = Name("x", primes=1), Name("y", primes=1), Name("N", (w,)), r"\delta"
one, two = Number(1), Number(2)


def minus(*terms: Node) -> Plus:
    return Plus((terms[0], *map(Minus, terms[1:])))


# --- the post's displays ---


def test_every_display_of_the_post_is_here():
    assert list(POST) == list(DISPLAYS) == list(NOTES)


@pytest.mark.parametrize("name", POST)
def test_a_display_is_read_and_written(name):
    display = read_display(POST[name])
    assert read_display(write(display)) == display


@pytest.mark.parametrize("name", POST)
def test_the_spec_quotes_the_post(name):
    assert read_display(DISPLAYS[name].tex) == read_display(POST[name])


@pytest.mark.parametrize("name", [name for name in POST if name not in ("convolution", "cross-correlation")])
def test_what_is_written_has_the_style_of_the_displays(name):
    """Those two print a product without a dot, which a tree does not keep."""
    tex = DISPLAYS[name].tex
    assert "".join(write(read_display(tex)).split()) == "".join(tex.split())


def test_convolution_as_a_tree():
    xk, size = Name("x", (k,)), minus(Name("N", (k,)), one)
    yk = Name("y", (k,))
    product = Product((Read(i, (minus(x, xk), minus(y, yk))), Read(k, (xk, yk))))
    total = Sum((Index(xk, Number(0), size),), Sum((Index(yk, Number(0), size),), product))
    assert read_display(POST["convolution"]) == Display(Read(Name("v"), (x, y)), ((total,),))


def test_the_bias_stands_outside_the_sum():
    first, second = read_display(POST["complete-input"]).sides
    bias = Name("b", (m,), l)
    assert first == Plus((Sum((Index(n),), Read(Name("i", (n, m), l), (x, y))), bias))
    assert isinstance(second, Plus)
    assert second.terms[1] == bias


def test_lines_of_a_chain():
    assert [len(line) for line in read_display(POST["deltas-chain"]).lines] == [2]
    assert [len(line) for line in read_display(POST["deltas-expansion"]).lines] == [1, 1, 1, 1]
    assert read_display(POST["deltas-chain"]).sides[0] == PartialDerivative(E, Read(Name("c", (m,), l), (x, y)))


def test_deltas_as_a_tree():
    """The sum ends with the brace, and the upper limits belong to x' and y' in turn."""
    above = Plus((l, one))
    at = (Plus((x, x1)), Plus((y, y1)))
    body = Product((Read(Name(DELTA, (o,), above), at), Read(Name("w", (m, o), above), (x1, y1))))
    pixels = Sum((Index(x1, upper=NW), Index(y1, upper=NW)), body)
    brace = Brace(Sum((Index(o),), pixels), "Cross-Correlation, Backpropagated Error")
    entry = Read(Name("c", (m,), l), (x, y))
    (side,) = read_display(POST["deltas"]).sides
    assert side == Product((brace, PartialDerivative(Call("a", entry), entry)))


@pytest.mark.parametrize(
    "tex",
    [
        r"o_n(x) \cdot s \cdot (x + i s)",
        r"\frac{1}{2} \left( \sum_n n \right)^2",
        r"\lfloor (i s)/k_h \rfloor",
        r"t - o_n^l + \ldots",
        r"(k+1)^{n-1}",
    ],
)
def test_the_style_of_further_formulas(tex):
    assert write(read_formula(tex)) == tex


# --- single forms ---


@pytest.mark.parametrize(
    ("tex", "node"),
    [
        ("x''", Name("x", primes=2)),
        (r"b_m^l", Name("b", (m,), l)),
        (r"b^l_m", Name("b", (m,), l)),
        (r"\delta_m^{l+1}", Name(DELTA, (m,), Plus((l, one)))),
        (r"\eta", Name(r"\eta")),
        ("i s + k x - m", Plus((Product((i, s)), Product((k, x)), Minus(m)))),
        ("x s + x' k", Plus((Product((x, s)), Product((x1, k))))),
        (r"x s \cdot (n - 1)", Product((x, s, minus(n, one)))),
        ("x s (n - 1)", Product((x, Read(s, (minus(n, one),))))),  # a name before a parenthesis is applied to it
        ("2(n-1)", Product((two, minus(n, one)))),
        ("(N_w - 1) x", Product((minus(NW, one), x))),
        ("-x + y", Plus((Minus(x), y))),
        ("-x y", Minus(Product((x, y)))),
        ("x - (-y)", Plus((x, Minus(Minus(y))))),
        ("x - (y - n)", Plus((x, Minus(minus(y, n))))),
        (r"\frac{1}{2} (t - o)^2", Product((Fraction(one, two), Power(minus(t, o), two)))),
        (r"\frac{1}{k_h k_w}", Fraction(one, Product((Name("k", (h,)), Name("k", (w,)))))),
        ("k^2", Power(k, two)),
        ("o^l", Name("o", superscript=l)),
        ("o_n(x)^{2}", Power(Read(Name("o", (n,)), (x,)), two)),
        (r"\lfloor e / k \rfloor", Floor(e, k)),
        (r"\left\lfloor (e + 1) / k_h \right\rfloor", Floor(Plus((e, one)), Name("k", (h,)))),
        (r"\lfloor \frac{e - 1}{k} \rfloor + 1", Plus((Floor(minus(e, one), k), one))),
        (r"\max_{x,y} i(x, y)", Max((Index(x), Index(y)), Read(i, (x, y)))),
        (r"\sum_n^k n", Sum((Index(n, upper=k),), n)),
        (r"\sum_{x'=0}^{N_w-1} x'", Sum((Index(x1, Number(0), minus(NW, one)),), x1)),
        (r"\sum_{x=0,y=1}^{k,s} x", Sum((Index(x, Number(0), k), Index(y, one, s)), x)),
        (r"\sum_n \sum_m n m + k", Plus((Sum((Index(n),), Sum((Index(m),), Product((n, m)))), k))),
        (r"x \sum_n n \cdot k", Product((x, Sum((Index(n),), Product((n, k)))))),
        (r"\left(\sum_n n\right) k", Product((Sum((Index(n),), n), k))),
        (r"\sum_n (n + k) x", Sum((Index(n),), Product((Plus((n, k)), x)))),
        ("a'(c)", Call("a'", c)),
        ("a(x) a", Product((Call("a", x), a))),
        (r"\frac{\partial a(c)}{\partial c}", PartialDerivative(Call("a", c), c)),
        (r"\frac{\partial}{\partial c}(c + b)", PartialDerivative(Plus((c, b)), c)),
        (r"\underbrace{x}_{y}", Brace(x, y)),
        (r"\operatorname{rot}_{180}(w)", Rotation(w)),
        (r"i(x, \ldots)", Read(i, (x, Dots()))),
        (r"o_n^{l-1}\left( x' + N_w-1 - x,\, y' \right)",
         Read(Name("o", (n,), minus(l, one)), (Plus((x1, NW, Minus(one), Minus(x))), y1))),
    ],
)  # fmt: skip
def test_a_form(tex, node):
    assert read_formula(tex) == node
    assert read_formula(write(node)) == node


@pytest.mark.parametrize(
    ("tex", "shown", "expected"),
    [
        ("x + ", "", "expected a number, a name, a sum, a fraction or (, but here it ends"),
        ("i(x, y", "", "expected ), but here it ends"),
        (r"\left(x)", ")", r"expected \right), found )"),
        ("x + * y", "*", "the character '*' has no meaning"),
        (r"x \times y", r"\times", r"unknown command \times"),
        (r"\begin{cases} x \end{cases}", r"\begin{cases}", r"unknown command \begin{cases}"),
        (r"\operatorname{tr}(x)", r"\operatorname{tr}", "unknown command"),
        (r"\left. x", r"\left", r"unknown command \left;"),
        (r"\sum n", "n", "expected _"),
        (r"\sum_{x, y}^{N} x", "{N}", "as many upper limits as there are indices, 2 and not 1"),
        (r"\sum_{x^2} x", "x^2", "expected an index, without an exponent"),
        (r"\sum_n - n", "- n", "expected a number"),
        (r"\sum_n", "", "but here it ends"),
        (r"\frac", "", "expected {, but here it ends"),
        (r"\frac{1}{\partial x}", r"\partial", "expected a number"),
        (r"\frac{\partial x}{y}", "y}", r"expected \partial, found y"),
        (r"\frac{\partial}{\partial x} y", "y", r"expected ( or \left(, found y"),
        (r"\frac{\partial x}{\partial a(c)}", "a(c)", "expected a name, with arguments or without"),
        ("2 3", "3", r"expected \cdot between two numbers"),
        ("x_12", "12", "braces around a number of several digits"),
        ("k^2 (x)", "(x)", "the number above the name is an exponent"),
        ("x_k_n", "_n", "expected an operator or the end"),
        ("x_k'", "'", "expected an operator or the end"),
        (r"\frac{1}{2}^2", "^", "expected an operator or the end"),
        ("o^{l,m}", "{l,m}", "one expression above a name or a bracket, not 2"),
        ("a(x, y)", ", y", "expected ), found ,"),
        ("(x, y)", ", y", "expected ), found ,"),
        (r"\lfloor e + 1 / k \rfloor", "+", "expected /, found +"),
        (r"\operatorname{rot}_{90}(w)", "{90}", "expected {180}"),
        (r"\text{words}", r"\text", "expected a number"),
        ("x = y", "=", "expected an operator or the end, found ="),
    ],
)
def test_an_error_points_at_the_place(tex, shown, expected):
    with pytest.raises(LatexError) as raised:
        read_formula(tex)
    message, formula, caret = str(raised.value).split("\n")
    assert expected in message
    assert formula == f"  {tex}"
    assert caret.strip() == "^"
    assert formula[len(caret) - 1 :].startswith(shown)
    assert bool(shown) == (raised.value.at < len(tex))


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        ("x", "expected =, but here it ends"),
        ("x &= y", "expected =, found &"),
        ("x =& y", "expected a number, a name, a sum, a fraction or (, found &"),
        ("x = y \\\\ = z", r"expected an operator, = or the end, found \\"),
        (r"\begin{aligned} x &= y \\ z \end{aligned}", "expected =, found z"),
        (r"\begin{aligned} x &= y", r"expected \end{aligned}, but here it ends"),
        (r"\begin{aligned} x &&= y \end{aligned}", "expected =, found &"),
    ],
)
def test_an_error_in_a_chain(tex, expected):
    with pytest.raises(LatexError, match=re.escape(expected)):
        read_display(tex)


def test_an_error_shows_the_line_and_the_part_of_it_around_the_place():
    tex = "x = y\n+ " + "x + " * 100 + "; + " + "y + " * 100
    with pytest.raises(LatexError) as raised:
        read_display(tex)
    _, formula, caret = str(raised.value).split("\n")
    assert formula[len(caret) - 1] == ";"
    assert len(formula) <= 102


@pytest.mark.parametrize(
    "build",
    [
        lambda: Number(-1),
        lambda: Name("xy"),
        lambda: Name("k", superscript=two),
        lambda: Read(x, ()),
        lambda: Read(a, (x,)),
        lambda: Call("x", x),
        lambda: Product((x,)),
        lambda: Plus((x,)),
        lambda: Sum((), x),
        lambda: Max((Index(x, upper=n), Index(y)), x),
        lambda: Brace(x, "{"),
    ],
)
def test_a_tree_that_would_print_like_another_is_refused(build):
    with pytest.raises(ValueError):
        build()


# --- what a strict reader objects to ---


@pytest.mark.parametrize("name", POST)
def test_notes_on_the_displays(name):
    notes = scope_notes(read_display(POST[name]))
    assert [(note.kind, note.side) for note in notes] == [(kind, side) for kind, side, _ in NOTES[name]]
    for note, (_, _, tex) in zip(notes, NOTES[name], strict=True):
        assert f"${tex}$" in note.text
        assert re.fullmatch(r"[^\n]+\.", note.text)


LIMITED = r"\sum_{n=0}^{N_n-1}"


@pytest.mark.parametrize(
    ("faulty", "kind", "sound"),
    [
        (rf"c_m(n) = {LIMITED} w_{{n,m}}", "captured", rf"c_m(x) = {LIMITED} w_{{n,m}}"),
        (r"c_m = \sum_{n=0,n=0}^{N,N} w_{n,m}", "captured", r"c_m = \sum_{n=0,x=0}^{N,N} w_{n,m}"),
        (rf"c_m = {LIMITED} {LIMITED} w_{{n,m}}", "captured", rf"c_m = {LIMITED} \sum_{{x=0}}^1 w_{{n,m}}"),
        (
            rf"c_m = \frac{{\partial}}{{\partial w_n}}\left({LIMITED} w_n\right)",
            "captured",
            rf"c_n = \frac{{\partial}}{{\partial w_n}}\left({LIMITED.replace('_{n', '_{m')} w_m\right)",
        ),
        (rf"c_m = {LIMITED} w_{{n,m}} + b_n", "escapes", rf"c_m = {LIMITED} (w_{{n,m}} + b_n)"),
        (r"c_m = \sum_{n=0}^n w_{n,m}", "escapes", rf"c_m = {LIMITED} w_{{n,m}}"),
        ("c_m = w_m(x s)", "escapes", "c_m(x, s) = w_m(x s)"),
        ("o_m = w_{m,o}", "clash", "o_m = w_{m,m}"),
        ("w_a = a(w_a)", "clash", "w_m = a(w_m)"),
        ("b_o = o_1", "clash", "b_m = o_1"),
        (r"c = \sum_{o=0}^N o(0)", "clash", r"c = \sum_{n=0}^N o(0)"),
        ("l(x) = c^l(x)", "clash", "v(x) = c^l(x)"),
        (r"c = \sum_{x}^{N} i(x)", "lower limit", r"c = \sum_{x=0}^{N} i(x)"),
        (r"c = \sum_{x} i(x)", "limits", r"c = \sum_{x=0}^{N} i(x)"),
        (r"c = \max_{x=0} i(x)", "limits", r"c = \max_{x=0}^{N} i(x)"),
        (r"c = \operatorname{rot}_{180}(w(0, 0))", "array", r"c = \operatorname{rot}_{180}(w)"),
    ],
)
def test_a_note_goes_with_its_fault(faulty, kind, sound):
    assert kind in {note.kind for note in scope_notes(read_display(faulty))}
    assert scope_notes(read_display(sound)) == ()


def test_a_label_is_read_like_what_it_names():
    display = read_display(r"E = \underbrace{i(0)}_{k(x)}")
    assert [note.kind for note in scope_notes(display)] == ["escapes"]


@pytest.mark.parametrize(
    "tex",
    [
        r"c_m(x) = \frac{1}{N_w} w_m(H-1-x)",  # sizes need no sum
        r"c = \sum_{x_k=0}^{N_k} x(x_k)",  # x_k is not x
        r"E = \sum_{n=0}^{N} n \cdot c_n",  # a bound index may be a factor
    ],
)
def test_nothing_to_object_to(tex):
    assert scope_notes(read_display(tex)) == ()


def test_a_note_is_given_once():
    notes = scope_notes(read_display(r"c = (\sum_n w_n) (\sum_n b_n) = \sum_n w_n"))
    assert [(note.kind, note.side) for note in notes] == [("limits", 0), ("limits", 1)]


def test_parameters_need_no_sum():
    pooling = read_display(r"y_c(i) = \frac{1}{k_h} \sum_{u=0}^{N} x_c(i s + u d - p)")
    assert [note.text.split("$")[1] for note in scope_notes(pooling)] == ["h", "s", "d", "p"]
    assert scope_notes(pooling, parameters=("k_h", "s", "d", "p")) == ()
    with pytest.raises(ValueError, match="a parameter is a name"):
        scope_notes(pooling, parameters=("s + 1",))


def test_a_clash_on_the_left_is_noted_once():
    notes = scope_notes(read_display("o_o = b_o = c_o"))
    assert [(note.kind, note.side) for note in notes] == [("clash", None)]


# --- any tree, any text ---


CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no failure
LETTERS = st.sampled_from(["a", "c", "N", "x", r"\delta", r"\eta"])
NUMBERS = st.builds(Number, st.integers(0, 20))
LEAVES = NUMBERS | st.builds(Name, LETTERS) | st.just(Dots())


@st.composite
def names(draw, depth):
    above = draw(st.none() | trees(depth))
    return Name(
        draw(LETTERS),
        tuple(draw(st.lists(trees(depth), max_size=2))),
        None if isinstance(above, Number) else above,
        draw(st.integers(0, 2)),
    )


@st.composite
def reads(draw, depth):
    name = draw(names(depth))
    if name.text == "a" and not name.subscripts:
        name = replace(name, text="c")
    return Read(name, tuple(draw(st.lists(trees(depth), min_size=1, max_size=2))))


@st.composite
def sums(draw, depth):
    upper = draw(st.sampled_from([st.none(), trees(depth)]))
    index = st.builds(Index, names(0), st.none() | trees(depth), upper)
    indices = tuple(draw(st.lists(index, min_size=1, max_size=2)))
    return draw(st.sampled_from([Sum, Max]))(indices, draw(trees(depth)))


@st.composite
def trees(draw, depth=3):
    if depth == 0:
        return draw(LEAVES)
    inner = trees(depth - 1)
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    kinds = [
        LEAVES,
        names(depth - 1),
        reads(depth - 1),
        sums(depth - 1),
        st.builds(Call, st.sampled_from(["a", "a'"]), inner),
        st.builds(Product, several),
        st.builds(Plus, several),
        st.builds(Minus, inner),
        st.builds(Fraction, inner, inner),
        st.builds(Floor, inner, inner),
        st.builds(Power, inner, inner),
        st.builds(PartialDerivative, inner, names(depth - 1) | reads(depth - 1)),
        st.builds(Brace, inner, inner | st.text("abc -,()", max_size=5)),
        st.builds(Rotation, inner),
    ]
    return draw(draw(st.sampled_from(kinds)))


@settings(CALM, max_examples=60)
@given(trees())
def test_any_tree_is_read_back(node):
    assert read_formula(write(node)) == node


@settings(CALM, max_examples=60)
@given(trees(2))
def test_spacing_and_the_size_of_parentheses_do_not_matter(node):
    pieces = re.split(r"(\\text\{[^}]*\})", write(node))  # words keep their spaces
    for k in range(0, len(pieces), 2):
        tall = re.sub(r"(?:\\left)?\(", r"\\left (\\,", re.sub(r"(?:\\right)?\)", r"\\:\\right)", pieces[k]))
        pieces[k] = tall.replace(" ", " \n ")
    assert read_formula("".join(pieces)) == node


@settings(CALM, max_examples=50)
@given(st.lists(trees(1), min_size=2, max_size=4), st.booleans())
def test_any_chain_is_read_back(nodes, rows):
    sides = tuple(nodes[1:])
    display = Display(nodes[0], tuple((side,) for side in sides) if rows else (sides,))
    assert read_display(write(display)) == display


@st.composite
def arithmetic(draw, depth=2):
    inner = arithmetic(depth - 1)
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    kinds = [st.builds(Minus, inner), st.builds(Plus, several), st.builds(Product, several)]
    return draw(draw(st.sampled_from([NUMBERS, *kinds])) if depth else NUMBERS)


def _value(node: Node) -> int:
    match node:
        case Number(value):
            return value
        case Minus(body):
            return -_value(body)
        case Plus(terms):
            return sum(map(_value, terms))
        case Product((first, *others)):
            return _value(first) * (_value(Product(tuple(others))) if len(others) > 1 else _value(others[0]))
    raise AssertionError(node)


@settings(CALM, max_examples=100)
@given(arithmetic())
def test_signs_and_products_bind_as_in_python(node):
    """A round trip would not notice that reader and writer share a wrong idea of precedence."""
    assert eval(write(node).replace(r"\cdot", "*")) == _value(node)


TOKENS = r"""
x a N 2 180 _ ^ _{ ^{ { } ( ) \left( \right) ' , + - / = & ; \\ \cdot \delta \partial \frac \frac{ \frac{\partial \ldots
\sum_ \sum_{ \max_{ \lfloor \rfloor \underbrace{ \text{b} \operatorname{rot} \operatorname{rot}_{180}( \begin{aligned}
"""


@settings(CALM, max_examples=200)
@given(st.lists(st.sampled_from(TOKENS.split()), max_size=12).map(" ".join))
def test_any_text_is_read_or_is_an_error_that_points_into_it(tex):
    try:
        node = read_formula(tex)
    except LatexError as error:
        at = error.at
    else:
        assert read_formula(write(node)) == node
        return
    assert 0 <= at <= len(tex)
