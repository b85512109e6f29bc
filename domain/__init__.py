"""The words everyone shares: values, rules of their range, ports that pure code may ask for. Standard library only."""
