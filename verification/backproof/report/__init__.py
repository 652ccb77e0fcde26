"""Reports: views of a run's events, and of nothing else.

In order of understanding: `ndjson` (events in a file, the truth), `summary` (the events of one run, brought together),
`words` and `cases` (how things are put), `terminal` and `html` (the two views), `binding` (what `backproof show`
prints), `naming` (what a report's file is called).
"""
