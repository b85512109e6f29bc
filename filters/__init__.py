"""Revocation filters: the status of every issued certificate in a few bits, for verifiers who check offline."""
