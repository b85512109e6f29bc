"""Applications signed with the key of a card's signing certificate, as for certificates on a phone."""

from __future__ import annotations

from dataclasses import replace

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from ca.proof import proof_content
from domain.applications import IssuanceApplication
from tests.support.signers import PrivateKey


def proven(application: IssuanceApplication, key: PrivateKey) -> IssuanceApplication:
    """The application with the holder's signature over it."""
    content = proof_content(application)
    match key:
        case rsa.RSAPrivateKey():
            return replace(application, proof=key.sign(content, padding.PKCS1v15(), hashes.SHA256()))
        case ec.EllipticCurvePrivateKey():
            return replace(application, proof=key.sign(content, ec.ECDSA(hashes.SHA384())))
    raise AssertionError("no key of a holder")
