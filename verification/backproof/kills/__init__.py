"""The museum against the checks: which check rejects which wrong layer, and after how many examples.

In order of understanding: `mutants` (which there are), `trial` (one mutant, one seed), `campaign` (all of them, in
several processes), `results` (what it comes to), `table` and `data` (shown, and as plain data).
"""
