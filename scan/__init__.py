"""The scan: traces of serials in what an operator keeps, found with a keyed filter and told without a value."""
