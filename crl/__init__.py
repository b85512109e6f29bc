"""Revocation lists: one series per key generation and municipality, built, linted, signed and put in place."""
