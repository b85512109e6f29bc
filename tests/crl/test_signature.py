"""Signatures of lists are verified before anybody else sees them."""

from __future__ import annotations

import pytest

from crl.lint import lint_tbs_crl
from crl.octets import ListOctets
from crl.rows import Tally
from crl.signature import sign_list
from domain.certificates import IssuerId
from domain.errors import Code, Refusal
from domain.lists import Scope
from domain.revocation import RevocationCount
from domain.signing import LintedTbs
from tests.support.authority import KIYOSE
from tests.support.lists import G2, ISSUERS, SCOPE, SIGNERS, is_signed, make_list, make_plan, octets_of, tbs_of
from tests.support.signers import WrappedSigner


def linted(scope: Scope = SCOPE) -> tuple[ListOctets, LintedTbs]:
    octets = octets_of(tbs_of(make_list(scope=scope)))
    return octets, lint_tbs_crl(octets, make_plan(scope), Tally(), RevocationCount(0, 0))


@pytest.mark.parametrize("scope", [SCOPE, Scope(G2, KIYOSE.code)], ids=["rsa", "ec"])
def test_a_list_is_signed_by_its_issuer(scope: Scope) -> None:
    octets = bytes(sign_list(*linted(scope), SIGNERS[scope.issuer], ISSUERS[scope.issuer]))
    assert is_signed(octets, scope)
    assert tbs_of(octets) == tbs_of(make_list(scope=scope))


@pytest.mark.parametrize(
    "signer",
    [
        pytest.param(SIGNERS[IssuerId("authentication-g1")], id="another-authoritys-key"),
        pytest.param(WrappedSigner(SIGNERS[SCOPE.issuer], damaged=True), id="a-damaged-signature"),
    ],
)
def test_a_signature_that_is_not_the_issuers_is_refused(signer: WrappedSigner) -> None:
    with pytest.raises(Refusal) as caught:
        sign_list(*linted(), signer, ISSUERS[SCOPE.issuer])
    assert caught.value.code is Code.SIGNER_UNAVAILABLE
