"""Activations, point by point: a and a' against 120 bits, in units of the last place; special points, shapes, memory.

    ACTIVATIONS = {"relu": (relu, relu_derivative)}       o = a(c) and a'(c), entry by entry

By its name the activation is known (`cases.references`, where the bounds are accounted for); slope and alpha are read
off its own values.  Of a name that is not known, a' is held against exact differences of a where that is a polynomial
on pieces, and is not verified where it is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from backproof.cases.activations import (
    COUNT,
    REGIONS,
    ActivationCase,
    at,
    bound_at,
    drawn,
    expected,
    grid,
    is_right,
    judged,
    simpler_activations,
    special,
)
from backproof.cases.levels import FACTORS
from backproof.cases.references import Reference, reference_of
from backproof.checks.bench import Array, Bench, Check, Wrong, misbehaviour
from backproof.checks.differences import consistency
from backproof.checks.hunt import Family, hunt
from backproof.targets.calls import Reply, Results
from backproof.targets.roles import activation_roles

_SHARE = 4
_QUANTITIES = ("o", "da")  # as the two functions return them
#: Where a slope and an alpha are read off: a(-1) = -slope, a(-100) = alpha * (exp(-100) - 1) = -alpha.
_READ_AT = {"slope": -1.0, "alpha": -100.0}
_DEFAULT = {"slope": 0.01, "alpha": 1.0}


def run(bench: Bench) -> None:
    """Hunt in the activations whose names are known; consistency of the others."""
    names = [name for name in bench.binding.activations if reference_of(name) is not None]
    if names:
        hunt(bench, _Sweeps(bench, names).family())
    for name in bench.binding.activations:
        if name not in names:
            consistency(bench, name)


def _quantities(name: str) -> tuple[str, str]:
    return name, f"{name} derivative"


class _Sweeps:
    """The known activations of a target."""

    def __init__(self, bench: Bench, names: Sequence[str]) -> None:
        self.bench, self.names = bench, names
        self.dtypes = bench.binding.dtypes
        self.layouts = tuple(layout for layout in FACTORS["x_layout"] if layout in bench.binding.layouts)
        self.parameters: dict[tuple[str, str], float] = {}

    def family(self) -> Family[ActivationCase]:
        sizes = (len(self.names), len(REGIONS), len(self.dtypes), len(self.layouts))
        return Family(
            quantities=tuple(q for name in self.names for q in _quantities(name)),
            fixed=[case for cases in zip(*map(self._fixed, self.names), strict=True) for case in cases],
            search=self.bench.examples // _SHARE,
            sizes=sizes,
            case=self._case,
            attempt=self._attempt,
            simpler=lambda case: (c for c in simpler_activations(case) if c.dtype in self.dtypes),
            arrays=lambda case: {"c": case.array()},
        )

    def _fixed(self, name: str) -> Iterator[ActivationCase]:
        for dtype in self.dtypes:
            yield at(name, special(dtype))
            yield at(name, grid(dtype))
        for k, layout in enumerate(self.layouts):
            dtype = self.dtypes[k % len(self.dtypes)]
            yield at(name, grid(dtype)[k : k + 72 : 2][:36].reshape(2, 3, 2, 3), layout)
        for shape in ((0,), (0, 3, 2, 2), ()):
            yield at(name, np.full(shape, 0.75, self.dtypes[-1]))

    def _case(self, row: Sequence[int], seed: int) -> ActivationCase:
        name, region, dtype, layout = row
        points = drawn(REGIONS[region], self.dtypes[dtype], seed)
        return at(self.names[name], points.reshape(1, 2, 2, COUNT // 4), self.layouts[layout])

    def _attempt(self, case: ActivationCase, wanted: Iterable[str]) -> Iterator[Wrong]:
        self.bench.tally.examples += 1
        left = set(wanted)
        standing = [(k, quantity) for k, quantity in enumerate(_quantities(case.name)) if quantity in left]
        if not standing:
            return
        reply = self._asked(case, [k for k, _ in standing])
        blameless = isinstance(reply, Results) and not reply.mutated and not reply.reused
        for k, quantity in standing:
            alone = reply if blameless or len(standing) == 1 else self._asked(case, [k])
            yield from self._judge(case, bool(k), quantity, alone)

    def _asked(self, case: ActivationCase, derivatives: Sequence[int]) -> Reply:
        functions = [activation_roles(case.name)[k] for k in derivatives]
        return self.bench.call(case.geometry, {"c": case.array()}, functions, dict(case.layouts))

    def _judge(self, case: ActivationCase, derivative: bool, quantity: str, reply: Reply) -> Iterator[Wrong]:
        bench, function = self.bench, activation_roles(case.name)[derivative]
        if not isinstance(reply, Results):
            for wrong in misbehaviour(reply, [quantity]):
                yield _told(wrong, quantity)
            return
        value = reply.values[_QUANTITIES[derivative]]
        bench.tally.comparisons[quantity] += 1
        if value.shape != case.shape:
            text = f"{quantity} has shape {value.shape} where c has {case.shape}; return c's shape"
            yield Wrong("shape", quantity, function, text, expected=str(case.shape), actual=str(value.shape))
            return
        if str(value.dtype) != case.dtype:
            text = f"{quantity} has dtype {value.dtype} where c has {case.dtype}; return c's dtype"
            yield Wrong("dtype", quantity, function, text, expected=case.dtype, actual=str(value.dtype))
            return
        if reply.mutated:
            yield Wrong("mutated", quantity, function, f"{quantity} wrote to its input c; work on a copy")
            return
        if reply.reused and value.size:
            text = f"{quantity} is returned in memory that an earlier result still uses; return an array of its own"
            yield Wrong("reused", quantity, function, text)
            return
        yield from self._values(case, derivative, quantity, function, value)

    def _values(
        self, case: ActivationCase, derivative: bool, quantity: str, function: str, values: Array
    ) -> Iterator[Wrong]:
        reference = reference_of(case.name)
        assert reference is not None
        parameter = self._parameter(case.name, case.dtype, reference)
        flushes, kink = self.bench.binding.flushes_subnormals, self.bench.binding.at_kink
        flat = values.ravel().tolist()
        bad = [
            k
            for k, (c, value) in enumerate(zip(case.points, flat, strict=True))
            if judged(reference, derivative, c)
            and not (parameter == 0 and c == -np.inf)  # 0 * inf
            and not is_right(value, reference, derivative, case, c, parameter, kink, flushes)
        ]
        if bad:
            yield _off(case, derivative, quantity, function, bad, flat[bad[0]], reference, parameter, kink)

    def _parameter(self, name: str, dtype: str, reference: Reference) -> float:
        """The slope or alpha, read off the target's own values in this dtype; 0 where it has none."""
        if not reference.parameter:
            return 0.0
        if (name, dtype) not in self.parameters:
            case = at(name, np.array([_READ_AT[reference.parameter]], dtype))
            reply = self.bench.call(case.geometry, {"c": case.array()}, activation_roles(name)[:1])
            found = -float(reply.values["o"].ravel()[0]) if _is_one(reply) else np.nan  # type: ignore[union-attr]
            self.parameters[name, dtype] = found if np.isfinite(found) else _DEFAULT[reference.parameter]
        return self.parameters[name, dtype]


def _is_one(reply: object) -> bool:
    return isinstance(reply, Results) and reply.values["o"].size == 1


def _told(wrong: Wrong, quantity: str) -> Wrong:
    return replace(wrong, quantity=quantity)


def _off(
    case: ActivationCase,
    derivative: bool,
    quantity: str,
    function: str,
    bad: list[int],
    value: float,
    reference: Reference,
    parameter: float,
    kink: str,
) -> Wrong:
    """The first wrong point, with the bound that it exceeds."""
    c = case.points[bad[0]]
    details: list[str] = []
    if np.isnan(c):
        must, kind = np.nan, "NaN"
        summary = f"{quantity} of NaN is {value!r}; NaN must come through"
    else:
        must, _ = expected(reference, derivative, c, parameter, kink)
        kind = "value" if np.isfinite(value) else "not finite"
        summary = f"{quantity} of {c!r} is {value!r}; it must be {must!r}"
        bound = reference.bounds[derivative]
        room = bound_at(bound, case.dtype, c, must, parameter, False)
        if np.isfinite(value) and np.isfinite(must):
            error = abs(value - must)
            last = float(np.spacing(np.array(abs(must), case.dtype)))
            units = f", {error / last:.3g} units of the last place" if must else ""
            details.append(f"off by {error:.3g}{units}; {room:.3g} is right ({bound.why})")
        if reference.parameter:
            read = _READ_AT[reference.parameter]
            details.append(f"{reference.parameter} {parameter!r}, as {case.name} of {read} says")
        if derivative and c == 0 and reference.right is not None:
            details.append(f"0 is a kink: the slope from the {kink} is meant; declare ACTIVATION_AT_KINK for another")
    if len(case.points) > 1:
        details.append(f"wrong at {len(bad)} of {len(case.points)} points")
    index = tuple(int(i) for i in np.unravel_index(bad[0], case.shape)) if case.shape else ()
    return Wrong(
        kind,
        quantity,
        function,
        summary,
        tuple(details),
        index,
        repr(must),
        repr(value),
        len(bad),
        len(case.points),
    )


CHECK = Check("activations", "Activations and their derivatives, in the last place", ("output", "output-delta"), run)
