"""Parts of the page on detection: each measures one thing, and returns plain data that its results file holds."""
