"""What auditors and operators look at: whether database, OCSP, lists and audit trail agree, and why a status is so."""
