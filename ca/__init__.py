"""Issuance: from an application for certificates to signed ones, and from a cause to their revocation."""
