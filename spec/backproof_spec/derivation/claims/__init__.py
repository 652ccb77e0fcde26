"""Every equation and remark of the post, in its order, then what it leaves out, then the frameworks' formulas."""

from __future__ import annotations

from backproof_spec.derivation.claims import definitions, deltas, feedforward, frameworks, left_out, networks, weights
from backproof_spec.derivation.statement import Statement

CLAIMS: dict[str, Statement] = {
    statement.id: statement
    for part in (
        networks.IDEAS,
        definitions.STATEMENTS,
        networks.POOLING,
        feedforward.NAMING,
        feedforward.STATEMENTS,
        weights.STATEMENTS,
        deltas.STATEMENTS,
        definitions.LEFT_OUT,
        left_out.STATEMENTS,
        frameworks.STATEMENTS,
    )
    for statement in part
}
