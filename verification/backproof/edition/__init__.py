"""Reports of the machine-checked edition: an HTML page, a Markdown file, the terminal, JSON.

They are views of `backproof_spec.derivation.edition.Edition`, which is plain data, and of nothing else: nothing is
judged here.  `wording` says things once for all of them.
"""
