"""The operators' door: `jpki` and its subcommands, one module each."""
