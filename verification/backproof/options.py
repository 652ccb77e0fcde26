"""What a run is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backproof.cases.shapes import OwnShape, own_shape
from backproof.checks import CHECKS, Check
from backproof.contract import Geometry

#: Random examples on top of the fixed set, by profile.
PROFILES: dict[str, int] = {"quick": 0, "default": 200, "thorough": 5_000, "nightly": 50_000}

CHECK_IDS: tuple[str, ...] = tuple(check.id for check in CHECKS)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run is asked for.

    Attributes:
        target: A registered name, a file, a module; see `backproof.targets`.
        declarations: `KEY -> VALUE`, as with `--declare`.
        profile: One of `PROFILES`; decides the number of random examples unless `examples` is given.
        seed: Of all data and of the search; drawn where None.
        time_limit: Seconds for one call of the target.
        checks: Ids of the only checks to run; all where empty.
        expect_fail: `CHECK` or `CHECK:QUANTITY` -> the reason for which it is expected to fail.
        shapes: The user's own, to be verified completely: texts such as "x=1,3,8,8 w=4,3,3,3 stride=2", or geometries.
        strict: Whether whatever was inferred, left out or expected in vain fails the run; see `strictness`.
    """

    target: str
    declarations: Mapping[str, str] = field(default_factory=dict)
    profile: str = "default"
    examples: int | None = None
    seed: int | None = None
    time_limit: float = 30.0
    checks: tuple[str, ...] = ()
    expect_fail: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    shapes: tuple[str | Geometry | OwnShape, ...] = ()


def chosen(options: RunOptions) -> list[Check]:
    """The checks to run, in their order; `shapes` where there are some.

    Raises:
        ValueError: A profile, a check or a shape that does not exist, or the check `shapes` without any.
    """
    if options.profile not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}, not {options.profile!r}")
    if unknown := set(options.checks) - set(CHECK_IDS):
        raise ValueError(f"no check {', '.join(sorted(unknown))}; there are {', '.join(CHECK_IDS)}")
    if "shapes" in options.checks and not options.shapes:
        raise ValueError("the check shapes needs a shape of yours, such as --shape 'x=1,3,8,8 w=4,3,3,3 stride=2'")
    for shape in options.shapes:
        own_shape(shape)
    if options.checks:
        return [check for check in CHECKS if check.id in options.checks]
    return [check for check in CHECKS if options.shapes or not check.of_shapes]
