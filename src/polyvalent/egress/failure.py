"""
Say in one sentence why an outgoing call brought no answer.

Turns what sockets, TLS and lines raise into errors for callers. Messages name host and port only:
never the path, the query, a header or a body. `sent` tells whether the request may have reached
the vendor; where it is true, a write must be looked up before it is repeated.
"""

from __future__ import annotations

import os
import socket
import ssl

from polyvalent.egress.line import BrokenOff, Garbled
from polyvalent.egress.target import Target
from polyvalent.errors import VendorFailure, VendorTimeout, VendorUnreachable

# OpenSSL's verification results (openssl/x509_vfy.h) that deserve words of their own.
_CERTIFICATE_FAULTS = {
    9: "it is not valid yet (compare the clocks)",
    10: "it has expired",
    18: "it is self-signed",
    19: "it is signed by an authority of its own that is not trusted here",
    20: "its issuer is not trusted here; often the server leaves out an intermediate certificate",
    21: "its issuer is not trusted here; often the server leaves out an intermediate certificate",
    62: "it is made out to another host name",
    64: "it is made out to another address",
}
_LASTING_LOOKUP_FAULTS = (socket.EAI_NONAME, socket.EAI_FAIL, getattr(socket, "EAI_NODATA", -5))


class NotConnected(VendorUnreachable):
    """
    Report that no connection came about, so nothing was sent.

    `attempts` counts the tries. `lasting` is true where another at once cannot help: an unknown
    name, a bad certificate.
    """

    sent = False
    attempts = 1

    def __init__(self, message: str, *, lasting: bool = False) -> None:
        super().__init__(message)
        self.lasting = lasting


class BrokenAnswer(VendorFailure):
    """
    Report an answer that ended early, is not HTTP, cannot be unpacked or is too large.

    The request was sent. `begun` is false when the connection ended before the first line of an
    answer, the one case in which a read may be tried again. `whole` is true where the vendor did
    all that it could, and its answer is only not one that is read here.
    """

    sent = True
    attempts = 1

    def __init__(self, message: str, *, begun: bool = True, whole: bool = False) -> None:
        super().__init__(message)
        self.begun = begun
        self.whole = whole


class DeadlinePassed(VendorTimeout):
    """Report that the whole call took longer than it may; `sent` says how far it got."""

    def __init__(self, message: str, *, sent: bool, attempts: int = 1) -> None:
        super().__init__(message)
        self.sent = sent
        self.attempts = attempts


def explain_answer(error: BrokenOff | Garbled, target: Target) -> BrokenAnswer:
    """Say how an answer fell short."""
    place = target.place
    if error.in_body:
        return BrokenAnswer(f"The answer of {place} broke off or was garbled on the way.")
    if isinstance(error, Garbled):
        return BrokenAnswer(f"{place} answered with something that is not HTTP.")
    return _closed(place, begun=error.begun)


def explain_connect(error: OSError | ValueError, target: Target) -> NotConnected:
    """Say why a connection did not come about."""
    place = target.place
    if isinstance(error, ssl.SSLCertVerificationError | ssl.CertificateError):
        return NotConnected(_certificate_sentence(error, place), lasting=True)
    if isinstance(error, ssl.SSLError):
        return NotConnected(_tls_sentence(error, place), lasting=True)
    if isinstance(error, TimeoutError) and error.errno is None:
        return NotConnected(f"{place} did not accept a connection in time.")
    if isinstance(error, OSError):
        return NotConnected(_connect_sentence(error, target))
    return NotConnected(f"{target.host} is no host name that TLS can ask for.", lasting=True)


def too_large(place: str, limit_bytes: int) -> BrokenAnswer:
    """Say that an answer has more than the bytes that are read."""
    return BrokenAnswer(
        f"The answer of {place} is larger than {limit_bytes} bytes, the most that is read. "
        "Ask for fewer records at a time.",
        whole=True,
    )


def explain_lookup(error: OSError, target: Target) -> NotConnected:
    """Say why a host name has no address."""
    host = target.host
    if isinstance(error, socket.gaierror) and error.errno in _LASTING_LOOKUP_FAULTS:
        return NotConnected(
            f"The host name {host} (for {target.place}) is unknown. Check how it is written.",
            lasting=True,
        )
    return NotConnected(
        f"The host name {host} (for {target.place}) could not be looked up just now."
    )


def _closed(place: str, *, begun: bool) -> BrokenAnswer:
    when = "in the middle of its answer" if begun else "before it answered"
    return BrokenAnswer(
        f"{place} closed the connection {when}. The request may have taken effect.", begun=begun
    )


def _certificate_sentence(error: Exception, place: str) -> str:
    code = error.verify_code if isinstance(error, ssl.SSLCertVerificationError) else 0
    fault = _CERTIFICATE_FAULTS.get(code, "it could not be verified")
    return f"The TLS certificate of {place} was not accepted: {fault}."


def _tls_sentence(error: OSError, place: str) -> str:
    reason = (error.reason if isinstance(error, ssl.SSLError) else None) or ""
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        return f"{place} does not speak TLS. Is the port right, or should the URL begin http://?"
    words = reason.replace("_", " ").lower() or "the handshake failed"
    return f"No TLS connection to {place} came about: {words}."


def _connect_sentence(error: OSError, target: Target) -> str:
    place = target.place
    if isinstance(error, ConnectionRefusedError):
        return f"{place} refused the connection. Is the server running, and is the port right?"
    if isinstance(error, ConnectionResetError | ConnectionAbortedError | BrokenPipeError):
        doing = "the TLS handshake" if target.scheme == "https" else "connecting"
        return f"{place} closed the connection during {doing}."
    words = os.strerror(error.errno).lower() if error.errno else "the network gave no reason"
    return f"No connection to {place} came about: {words}."
