"""From claims to the checks of `backproof check` that test the same equation in a program."""

from __future__ import annotations

from dataclasses import replace

from backproof.checks import CHECKS
from backproof_spec.derivation.edition import Claim, Edition


def with_checks(edition: Edition) -> Edition:
    """The edition with the ids of those checks of every run that name a claim's equation."""
    return replace(edition, claims=tuple(replace(claim, checks=_checks(claim)) for claim in edition.claims))


def _checks(claim: Claim) -> tuple[str, ...]:
    return tuple(check.id for check in CHECKS if claim.equation in check.equations and not check.of_shapes)
