r"""A tree as LaTeX in the post's style, so that reading it gives the tree again.

Parentheses stand where the tree needs them, and are `\left( ... \right)` around what is taller than a line.
"""

from __future__ import annotations

from collections.abc import Iterable

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

_TALL = (r"\frac", r"\sum", r"\max", r"\underbrace")


def write(formula: Node | Display) -> str:
    """LaTeX from which `read_formula`, or for a display `read_display`, reads the same tree."""
    if not isinstance(formula, Display):
        return _expression(formula)
    rows = [" ".join(f"= {_expression(side)}" for side in line) for line in formula.lines]
    left = _expression(formula.left)
    if len(rows) == 1:
        return f"{left} {rows[0]}"
    return "\\begin{aligned}\n" + f"{left} &" + " \\\\\n&".join(rows) + "\n\\end{aligned}"


# --- from the loosest to the tightest ---


def _expression(node: Node) -> str:
    if not isinstance(node, Plus):
        return _signed(node)
    gap = "" if all(_is_short(_unsigned(term)) for term in node.terms) else " "
    text = _signed(node.terms[0])
    for term in node.terms[1:]:
        text += f"{gap}{'-' if isinstance(term, Minus) else '+'}{gap}{_term(_unsigned(term))}"
    return text


def _is_short(term: Node) -> bool:
    """Whether a sum of such terms is set without spaces, as indices are: `N_w-1-x`."""
    return isinstance(term, Number) or (isinstance(term, Name) and term.superscript is None)


def _unsigned(node: Node) -> Node:
    return node.body if isinstance(node, Minus) else node


def _signed(node: Node) -> str:
    return f"-{_term(node.body)}" if isinstance(node, Minus) else _term(node)


def _term(node: Node) -> str:
    """What may stand between two signs."""
    if not isinstance(node, Product):
        return _last_factor(node)
    text = ""
    for factor, following in zip(node.factors, node.factors[1:], strict=False):
        text += _factor(factor) + (" " if _side_by_side(factor, following) else r" \cdot ")
    return text + _last_factor(node.factors[-1])


def _side_by_side(factor: Node, following: Node) -> bool:
    """Whether two factors need no dot: `x s`, `2 x`, and whatever follows a fraction."""
    return isinstance(factor, Fraction) or (isinstance(factor, (Name, Number)) and isinstance(following, Name))


def _last_factor(node: Node) -> str:
    """A factor after which the product ends: a sum, which would extend over all that follows, needs no parentheses."""
    match node:
        case Sum(indices, body):
            return rf"\sum{_limits(indices)} {_term(body)}"
        case Max(indices, body):
            return rf"\max{_limits(indices)} {_term(body)}"
        case _:
            return _factor(node)


def _factor(node: Node) -> str:
    if not isinstance(node, Power):
        return _primary(node)
    base, exponent = node.base, _script("^", (node.exponent,))
    bare = isinstance(base, (Number, Read, Call)) or (
        isinstance(base, Name) and base.superscript is None and isinstance(node.exponent, Number)
    )
    return (_primary(base) if bare else _parenthesised(base)) + exponent


def _primary(node: Node) -> str:
    match node:
        case Number(value):
            return str(value)
        case Name():
            return _name(node)
        case Read(name, arguments):
            return f"{_name(name)}({_listed(arguments)})"
        case Call(function, argument):
            return f"{function}({_expression(argument)})"
        case Fraction(numerator, denominator):
            return rf"\frac{{{_expression(numerator)}}}{{{_expression(denominator)}}}"
        case Floor(numerator, denominator):
            return rf"\lfloor {_factor(numerator)}/{_factor(denominator)} \rfloor"
        case PartialDerivative(of, by):
            inside = isinstance(of, (Name, Read, Call))
            above = rf"\partial {_primary(of)}" if inside else r"\partial"
            fraction = rf"\frac{{{above}}}{{\partial {_primary(by)}}}"
            return fraction if inside else rf"{fraction} \left( {_expression(of)} \right)"
        case Brace(body, label):
            below = rf"\text{{{label}}}" if isinstance(label, str) else _expression(label)
            return rf"\underbrace{{{_expression(body)}}}_{{{below}}}"
        case Rotation(body):
            return rf"\operatorname{{rot}}_{{180}}{_parenthesised(body)}"
        case Dots():
            return r"\ldots"
        case _:
            return _parenthesised(node)


# --- parts ---


def _parenthesised(node: Node) -> str:
    text = _expression(node)
    tall = any(command in text for command in _TALL)
    return rf"\left( {text} \right)" if tall else f"({text})"


def _name(name: Name) -> str:
    below = _script("_", name.subscripts, ",") if name.subscripts else ""
    above = _script("^", (name.superscript,)) if name.superscript is not None else ""
    return name.text + "'" * name.primes + below + above


def _limits(indices: tuple[Index, ...]) -> str:
    bound = ", ".join(
        _name(index.name) + (f"={_expression(index.lower)}" if index.lower is not None else "") for index in indices
    )
    uppers = [index.upper for index in indices if index.upper is not None]
    return _braced("_", bound) + (_script("^", uppers) if uppers else "")


def _script(mark: str, nodes: Iterable[Node], comma: str = ", ") -> str:
    return _braced(mark, comma.join(map(_expression, nodes)))


def _braced(mark: str, text: str) -> str:
    return mark + (text if len(text) == 1 else f"{{{text}}}")


def _listed(nodes: Iterable[Node]) -> str:
    return ", ".join(map(_expression, nodes))
