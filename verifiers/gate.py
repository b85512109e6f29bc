"""The gate: the one way in at every door, by rules, then by what alarms say; who is refused is put on record."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from domain.certificates import IssuerId
from domain.errors import Refusal
from domain.provisions import Channel, Provision, Record
from policies.admission import Admitted, Inquiry
from policies.circumstances import OTHER
from policies.rulings import AdmissionRules, AdmissionTable

Restrain = Callable[[Admitted, datetime], None]
"""Returns if nothing that was found about the verifier stands in the way now. Raises Refusal(BUSY) where it shall try
later, Refusal(NOT_ADMITTED) where it is blocked; `facts` name the rule."""


@dataclass(frozen=True, slots=True)
class Gate:
    """`rules` are those in force. Each refusal of a party leaves a record with the rule that decided; strangers leave
    none, who could fill the record at will."""

    rules: Callable[[], AdmissionRules]
    record: Record = lambda _: None
    restrain: Restrain = lambda *_: None

    def admit(self, inquiry: Inquiry) -> Admitted:
        """Who is admitted to status, handles or news, and what for. Raises as the table and `Restrain` do."""
        return self._decide(self.rules().status, inquiry)

    def admit_operator(self, inquiry: Inquiry) -> Admitted:
        """Who is admitted to delegated validation; for a provider, who would be by itself as the provider would be.
        Raises as `admit` does."""
        return self._decide(self.rules().operators, inquiry, each=True)

    def admit_some(self, inquiries: Sequence[Inquiry]) -> list[Inquiry]:
        """Those that are admitted of one party's, at least one. Raises as `admit` does when none is."""
        table = self.rules().status
        admitted = [inquiry for inquiry in inquiries if table.decide(inquiry).refusal is None]
        self.admit((admitted or inquiries)[0])
        return admitted

    def put_on_record(self, inquiry: Inquiry, refusal: Refusal) -> None:
        """That a party was refused by a rule."""
        rule = refusal.facts.get("rule")
        if inquiry.party is not None and rule is not None:
            self.record(_refused(inquiry, str(rule), self.rules().purposes))

    def _decide(self, table: AdmissionTable, inquiry: Inquiry, *, each: bool = False) -> Admitted:
        try:
            if each and inquiry.provider is not None:
                table.admit(replace(inquiry, party=inquiry.provider, names_provider=False, provider=None))
            admitted = table.admit(inquiry)
            # A list that is open is a public file, whoever fetches it.
            if (inquiry.access, inquiry.channel) != ("open", Channel.CRL):
                self.restrain(admitted, inquiry.now)
        except Refusal as refusal:
            self.put_on_record(inquiry, refusal)
            raise
        return admitted


def _refused(inquiry: Inquiry, rule: str, purposes: Container[str]) -> Provision:
    """The record of a refusal: who asked, and the row that decided; about no certificate and no list. What the caller
    declared could be anything: only purposes that there are are kept."""
    issuer, answered = IssuerId(inquiry.kind.value), f"refused: {rule}"
    meant = inquiry.bound or inquiry.meant
    purpose = "" if meant is None else meant if meant in purposes else OTHER
    return Provision(inquiry.now, inquiry.party, inquiry.provider, purpose, issuer, inquiry.channel, b"", answered)
