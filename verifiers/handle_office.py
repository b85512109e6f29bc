"""The office of handles: gives a verifier its own handle of a certificate it was shown, and never a serial."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509

from domain.certificates import CertificateRecord, CertificateState, Issuer, IssuerId, Kind
from domain.errors import Code, Refusal
from domain.handles import Correspondence, Handle, Line, Recipient
from domain.parties import Credential, Party
from domain.ports import Begin, Clock, UnitOfWork
from domain.provisions import Channel, Provision, Record
from domain.serial import SerialNumber
from policies.admission import Admitted, Inquiry
from policies.correspondence import may_know
from verifiers.gate import Gate
from verifiers.handles import HandleKeys, HandleRing, handle_of


@dataclass(frozen=True, slots=True)
class KnownAs:
    """A certificate as the verifier may remember it."""

    handle: Handle
    kind: Kind


@dataclass(frozen=True, slots=True)
class HandleOffice:
    """What handles are given out with. `provider_of` gives the service provider of that name behind a party, and
    refuses one that is not."""

    begin: Begin
    clock: Clock
    ring: HandleRing
    issuers: Mapping[IssuerId, Issuer]
    gate: Gate
    record: Record
    provider_of: Callable[[Party, str | None], Party | None]

    def of(self, party: Party, provider: Party | None, certificate: bytes, purpose: str | None = None) -> str:
        """The handle of a certificate (DER) for `party`, or for the service provider behind it.

        Raises Refusal(MALFORMED), Refusal(FOREIGN_ISSUER), and what admission refuses.
        """
        return self.of_many(party, provider, [certificate], purpose)[0].handle

    def of_many(
        self, party: Party, provider: Party | None, certificates: Sequence[bytes], purpose: str | None = None
    ) -> list[KnownAs]:
        """The handles of certificates, in their order; all of them or none. Refuses as `of` does, and says where."""
        now, recipient = self.clock(), Recipient.of(party, provider)
        with self.begin(write=False) as work:
            keys = keys_in(work, self.ring)
            found = []
            for place, octets in enumerate(certificates):
                try:
                    record = find_shown(work, self.issuers, octets)
                    admitted = self.gate.admit(inquiry_of(party, provider, purpose, record.kind, now))
                except Refusal as refusal:
                    pointer = f"/certificates/{place}"
                    raise Refusal(refusal.code, refusal.detail, pointer=pointer, facts=refusal.facts) from None
                line = line_for(party, provider, record)
                found.append((record, admitted, KnownAs(handle_of(keys, recipient, line), record.kind)))
        for record, admitted, _ in found:
            self.record(Provision(now, *admitted, record.issuer, Channel.HANDLE, record.serial.octets, "handle"))
        return [known for *_, known in found]

    def purpose_of(self, credential: Credential, provider: Party | None, said: str | None) -> str | None:
        """What a request is for: what it says, or what the credential is bound to. Where these differ, raises what
        admission refuses."""
        bound, now = credential.purpose, self.clock()
        if bound is not None and said not in (None, bound):
            asked = [inquiry_of(credential.party, provider, said, kind, now) for kind in Kind]
            self.gate.admit_some([replace(inquiry, bound=bound) for inquiry in asked])
        return said or bound


def inquiry_of(
    party: Party,
    provider: Party | None,
    purpose: str | None,
    kind: Kind,
    now: datetime,
    channel: Channel = Channel.HANDLE,
) -> Inquiry:
    """That `party` wants handles of certificates of `kind`, or news of them, for the service provider behind it if
    there is one. Handles are for notified verifiers, also where status is open to everybody."""
    named = provider is not None
    return Inquiry("notified-verifiers", party, kind, now, channel, named, provider, purpose)


def translate(
    office: HandleOffice, party: Party, provider: Party | None, handles: Sequence[str], purpose: str | None = None
) -> list[Handle]:
    """The recipient's handles in the current generation of the key, in their order. Refuses as `read_own` does."""
    with office.begin(write=False) as work:
        keys = keys_in(work, office.ring)
        own = read_own(office, keys, party, provider, handles, purpose, office.clock())
    return [keys.make(line, Recipient.of(party, provider)) for line, _ in own]


def read_own(
    office: HandleOffice,
    keys: HandleKeys,
    party: Party,
    provider: Party | None,
    handles: Sequence[str],
    purpose: str | None,
    now: datetime,
    channel: Channel = Channel.HANDLE,
) -> list[tuple[Line, Admitted]]:
    """What the recipient's handles stand for, and as whom and what for it may know. Raises Refusal(NOT_FOUND) with the
    place of one that is not its own, and what admission refuses."""
    own = []
    for place, handle in enumerate(handles):
        try:
            line = keys.read(handle, Recipient.of(party, provider))
            admitted = office.gate.admit(inquiry_of(party, provider, purpose, line.kind, now, channel))
        except Refusal as refusal:
            raise Refusal(refusal.code, refusal.detail, pointer=f"/handles/{place}", facts=refusal.facts) from None
        own.append((line, admitted))
    return own


def keys_in(work: UnitOfWork, ring: HandleRing) -> HandleKeys:
    """The keys of handles that are in use in this unit of work."""
    return HandleKeys(ring, {record.generation: record for record in work.handles.generations()})


def line_for(party: Party, provider: Party | None, record: CertificateRecord) -> Line:
    """What the recipient's handle of a certificate stands for: the line, for those who may know that a renewed
    certificate follows another, and for others the one certificate."""
    # Any moment will do: that row asks for none.
    known = may_know(party, provider, Correspondence.SUCCESSION, record.kind, record.reserved_at)
    return Line.of(record, whole=known)


def find_shown(work: UnitOfWork, issuers: Mapping[IssuerId, Issuer], octets: bytes) -> CertificateRecord:
    """The record of a certificate of ours that somebody shows, octet for octet: a serial alone is not enough.

    Raises Refusal(MALFORMED) for octets that are no certificate, Refusal(FOREIGN_ISSUER) for one that we have not
    issued.
    """
    try:
        shown = x509.load_der_x509_certificate(octets)
        key_identifier = shown.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        serial = SerialNumber.known(shown.serial_number)
    except x509.ExtensionNotFound:
        key_identifier = serial = None
    except (ValueError, x509.InvalidVersion, x509.DuplicateExtension):
        raise Refusal(Code.MALFORMED, "this is not an X.509 certificate in DER") from None
    for issuer in issuers.values():
        if serial is not None and issuer.key_identifier == key_identifier:
            record = work.certificates.find(issuer.id, serial)
            if record is not None and record.state is CertificateState.ISSUED and record.der == octets:
                return record
    raise Refusal(Code.FOREIGN_ISSUER, "this is not a certificate that this authority has issued to a holder")
