"""Evidence: a chain of what was done, and signed heads that can be kept elsewhere."""
