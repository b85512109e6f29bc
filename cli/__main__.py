"""`python -m cli` is `jpki`."""

from cli.main import main

main()
