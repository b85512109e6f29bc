"""Private keys: one module per place they can live, and nothing outside sees more than a `Signer`."""
