r"""LaTeX to a tree, read literally.

    expression   [-] term {(+|-) term}
    term         factor {[\cdot] factor}
    factor       \sum_{indices}^{limits} term  |  primary [^exponent]
    primary      number, name, name(arguments), (expression), \frac, \lfloor e/k \rfloor, \underbrace, ...

So a sum extends over the product that follows it: to the next `+`, `-`, `=` or the closing bracket around it.  A name
directly before a parenthesis is applied to it, so that a product with a parenthesis needs `\cdot`.  A number above a
name is an exponent, anything else above it marks the name.
"""

from __future__ import annotations

from backproof_spec.derivation import tree
from backproof_spec.derivation.tokens import ALIGNED, CLOSING, END_ALIGNED, GREEK, ROT, TEXT, Cursor, LatexError
from backproof_spec.derivation.writer import write

__all__ = ["LatexError", "read_display", "read_formula", "write"]

_PARENTHESES = ("(", r"\left(")
_STARTS = GREEK | {*CLOSING, r"\sum", r"\max", r"\frac", r"\underbrace", r"\ldots", ROT}


def read_display(tex: str) -> tree.Display:
    """A chain `A = B = C`, on one line or in the rows of `aligned`.

    Raises:
        LatexError: It cannot be read.
    """
    reader = _Reader(tex)
    display = reader.display()
    reader.end("an operator, = or the end")
    return display


def read_formula(tex: str) -> tree.Node:
    """One expression, without an equals sign.

    Raises:
        LatexError: It cannot be read.
    """
    reader = _Reader(tex)
    formula = reader.expression()
    reader.end("an operator or the end")
    return formula


class _Reader(Cursor):
    """Recursive descent: a method for each kind of expression, which leaves the cursor at what comes after it."""

    # --- chains ---

    def display(self) -> tree.Display:
        aligned = bool(self.take(ALIGNED))
        left = self.expression()
        lines = [self.line(aligned)]
        while aligned and self.take(r"\\"):
            lines.append(self.line(aligned))
        if aligned:
            self.expect(END_ALIGNED)
        return tree.Display(left, tuple(lines))

    def line(self, aligned: bool) -> tuple[tree.Node, ...]:
        sides: list[tree.Node] = []
        while not sides or self.token in ("=", "&"):
            mark = aligned and self.take("&")
            self.expect("=")
            if aligned and not mark:
                self.take("&")
            sides.append(self.expression())
        return tuple(sides)

    def listed(self) -> tuple[tree.Node, ...]:
        """Expressions with commas between them."""
        found = [self.expression()]
        while self.take(","):
            found.append(self.expression())
        return tuple(found)

    # --- sums and products ---

    def expression(self) -> tree.Node:
        terms = [self.signed("-")]
        while self.token in ("+", "-"):
            terms.append(self.signed("+", "-"))
        return tree.Plus(tuple(terms)) if len(terms) > 1 else terms[0]

    def signed(self, *signs: str) -> tree.Node:
        return tree.Minus(self.term()) if self.take(*signs) == "-" else self.term()

    def term(self) -> tree.Node:
        factors = [self.factor()]
        while (dot := self.take(r"\cdot")) or self.token in _STARTS or self.token.isalnum():
            if not dot and isinstance(factors[-1], tree.Number) and self.token.isdigit():
                self.fail(r"\cdot between two numbers")
            factors.append(self.factor())
        return tree.Product(tuple(factors)) if len(factors) > 1 else factors[0]

    def factor(self) -> tree.Node:
        if operator := self.take(r"\sum", r"\max"):
            indices, body = self.indices(), self.term()
            return tree.Sum(indices, body) if operator == r"\sum" else tree.Max(indices, body)
        raisable = self.token in CLOSING or self.token.isdigit()
        node = self.primary()
        if (raisable or isinstance(node, (tree.Read, tree.Call))) and self.take("^"):
            return tree.Power(node, self.superscript())
        return node

    def indices(self) -> tuple[tree.Index, ...]:
        self.expect("_")
        if self.take("{"):
            bound = [self.index()]
            while self.take(","):
                bound.append(self.index())
            self.expect("}")
        else:
            bound = [tree.Index(tree.Name(self.letter()))]
        if not self.take("^"):
            return tuple(bound)
        place = self.position
        limits = self.script()
        if len(limits) != len(bound):
            self.fail(f"as many upper limits as there are indices, {len(bound)} and not {len(limits)}", place)
        return tuple(tree.Index(index.name, index.lower, upper) for index, upper in zip(bound, limits, strict=True))

    def index(self) -> tree.Index:
        place = self.position
        name = self.name()
        if not isinstance(name, tree.Name):
            self.fail("an index, without an exponent", place)
        return tree.Index(name, self.expression() if self.take("=") else None)

    # --- names ---

    def letter(self) -> str:
        if self.token not in GREEK and not self.token.isalpha():
            self.fail("a name")
        return self.take(self.token)

    def number(self) -> tree.Number:
        return tree.Number(int(self.take(self.token)))

    def name(self) -> tree.Name | tree.Power:
        letter, primes = self.letter(), 0
        while self.take("'"):
            primes += 1
        subscripts: tuple[tree.Node, ...] = ()
        superscript: tree.Node | None = None
        while (self.token == "_" and not subscripts) or (self.token == "^" and superscript is None):
            if self.take("_"):
                subscripts = self.script()
            else:
                self.take("^")
                superscript = self.superscript()
        if isinstance(superscript, tree.Number):
            return tree.Power(tree.Name(letter, subscripts, None, primes), superscript)
        return tree.Name(letter, subscripts, superscript, primes)

    def script(self) -> tuple[tree.Node, ...]:
        """What is below or above: one letter or digit, or a list in braces."""
        if self.take("{"):
            found = self.listed()
            self.expect("}")
            return found
        if self.token.isdigit() and len(self.token) > 1:
            self.fail("braces around a number of several digits")
        return (self.number() if self.token.isdigit() else tree.Name(self.letter()),)

    def superscript(self) -> tree.Node:
        place = self.position
        found = self.script()
        if len(found) > 1:
            self.fail(f"one expression above a name or a bracket, not {len(found)}", place)
        return found[0]

    def reading(self) -> tree.Node:
        """A name, or one that is applied to what follows in parentheses."""
        name = self.name()
        if self.token not in _PARENTHESES:
            return name
        if isinstance(name, tree.Power):
            self.fail(r"\cdot, since the number above the name is an exponent")
        opening = self.take(*_PARENTHESES)
        function = not name.subscripts and name.superscript is None and name.text in tree.FUNCTIONS
        arguments = (self.expression(),) if function else self.listed()
        self.expect(CLOSING[opening])
        return tree.Call(name.text + "'" * name.primes, arguments[0]) if function else tree.Read(name, arguments)

    # --- what is bracketed ---

    def primary(self) -> tree.Node:
        if self.token.isdigit():
            return self.number()
        if self.token in GREEK or self.token.isalpha():
            return self.reading()
        if self.token in _PARENTHESES:
            return self.parenthesised()
        if self.token in CLOSING:
            return self.floor()
        if self.take(r"\ldots"):
            return tree.Dots()
        if self.take(r"\frac"):
            return self.fraction()
        if self.take(r"\underbrace"):
            return self.brace()
        if self.take(ROT):
            return self.rotation()
        return self.fail("a number, a name, a sum, a fraction or (")

    def parenthesised(self) -> tree.Node:
        opening = self.expect(*_PARENTHESES)
        node = self.expression()
        self.expect(CLOSING[opening])
        return node

    def group(self) -> tree.Node:
        self.expect("{")
        node = self.expression()
        self.expect("}")
        return node

    def fraction(self) -> tree.Node:
        self.expect("{")
        if self.take(r"\partial"):
            return self.derivative()
        numerator = self.expression()
        self.expect("}")
        return tree.Fraction(numerator, self.group())

    def derivative(self) -> tree.Node:
        of = None if self.token == "}" else self.primary()
        for token in ("}", "{", r"\partial"):
            self.expect(token)
        place = self.position
        by = self.reading()
        if not isinstance(by, (tree.Name, tree.Read)):
            self.fail("a name, with arguments or without", place)
        self.expect("}")
        return tree.PartialDerivative(self.parenthesised() if of is None else of, by)

    def floor(self) -> tree.Node:
        opening = self.expect(r"\lfloor", r"\left\lfloor")
        node = self.term()
        if isinstance(node, tree.Fraction) and self.token != "/":
            node = tree.Floor(node.numerator, node.denominator)
        else:
            self.expect("/")
            node = tree.Floor(node, self.factor())
        self.expect(CLOSING[opening])
        return node

    def brace(self) -> tree.Node:
        body = self.group()
        self.expect("_")
        self.expect("{")
        words = self.token.startswith(TEXT)
        label = self.take(self.token)[len(TEXT) : -1] if words else self.expression()
        self.expect("}")
        return tree.Brace(body, label)

    def rotation(self) -> tree.Node:
        self.expect("_")
        place = self.position
        if self.script() != (tree.Number(180),):
            self.fail("{180}", place)
        return tree.Rotation(self.parenthesised())
