"""Lanes: everything that quick answers have in common, made once for each second, form of request and caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from domain.status import GOOD
from ocsp import response
from ocsp.shapes import Shape
from policies.admission import Admitted

Frame = tuple[bytes, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Lane:
    """The way of a plain request about one certificate that is good.

    `good` says of serial octets whether they are a good certificate's. The answer is that in which `before` and
    `after` stand around the CertID, then the nonce if there is one. `caller` is whom the lane was made for, `now`
    the second, and `admitted` what a record says of who asks.
    """

    now: datetime
    caller: object
    admitted: Admitted
    good: Callable[[bytes], bool]
    before: bytes
    after: bytes
    sign: Callable[[bytes], bytes]
    max_age: int
    shared: bool
    next_update: datetime
    algorithm: bytes
    certificate: bytes
    _frames: dict[int, Frame] = field(default_factory=dict)

    def answer(self, cert_id: bytes, nonce: bytes) -> bytes:
        """The OCSPResponse (DER) that says *good*; `nonce` is empty where the request had none."""
        tbs = self.before + cert_id + self.after + nonce
        signature = self.sign(tbs)
        length = len(signature)
        frame = self._frames.get(length)
        if frame is None:
            frame = response.frame(len(tbs), self.algorithm, length, self.certificate)
            self._frames[length] = frame
        before, between, behind = frame
        return before + tbs + between + signature + behind


def around(shape: Shape, octets: bytes, produced: bytes, times: bytes) -> tuple[bytes, bytes]:
    """What stands before the CertID, and between it and the nonce, in the ResponseData of a good answer to a request of
    that shape, such as `octets`; their lengths are those of all requests of the shape."""
    cert_id, nonce = octets[shape.cert_id_at : shape.serial_end], octets[shape.nonce_at :]
    single = response.single_response(cert_id, GOOD, times)
    tbs = response.response_data(produced, single, nonce or None, False)
    at = tbs.index(cert_id)  # longer than all that stands before it
    return tbs[:at], tbs[at + len(cert_id) : len(tbs) - len(nonce)]
