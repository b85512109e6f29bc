"""`python -m jpki_verify`."""

from __future__ import annotations

from jpki_verify.command import main

main()
