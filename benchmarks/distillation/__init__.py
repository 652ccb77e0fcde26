"""What `distil` and `synthetic` are made of: candidates, and which mutants die at them."""
