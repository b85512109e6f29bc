"""The words everyone shares: values, rules of their range, and the ports pure code may ask for. Standard library only."""
