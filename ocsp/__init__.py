"""Certificate status on request: OCSP by RFC 6960, with nonces by RFC 9654 and the lightweight profile of RFC 9919."""
