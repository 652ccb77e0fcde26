"""From a failure to a sentence: which other formula does this code compute?

A library of transformed specifications is held against the target on fresh data; one that agrees everywhere, where the
specification does not, names the mistake.  Nothing here decides a verdict: it only explains one.
"""

from __future__ import annotations

from backproof.diagnosis.diagnose import diagnose

__all__ = ["diagnose"]
