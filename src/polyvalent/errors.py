"""
Know every error that polyvalent raises on purpose.

The tree, grouped by who can do something about it::

    PolyvalentError
    ├── CallerError                    yours: change the request
    │   ├── BadRequest                 400
    │   │   └── UnsignableRequest      400
    │   ├── Unauthorized               401
    │   ├── Forbidden                  403
    │   ├── NotFound                   404
    │   ├── MethodNotAllowed           405
    │   ├── NotAcceptable              406
    │   ├── Conflict                   409
    │   ├── PayloadTooLarge            413
    │   ├── UnsupportedMediaType       415
    │   ├── TooOften                   503
    │   │   └── TooManyEvents          429
    │   └── RangeNotSatisfiable        416
    ├── VendorError                    theirs: the store refused or failed
    │   ├── VendorRefused              400, 401, 403, 404 or 409, as the vendor meant it
    │   ├── VendorUnreachable          502
    │   ├── VendorBusy                 503
    │   ├── VendorFailure              502
    │   │   └── OutcomeUnknown         502
    │   └── VendorTimeout              504
    └── PlatformError                  ours
        ├── Misconfigured              500
        └── Unavailable                503

Anticipated errors are raised where they are found and rendered at one place, the edge.
Everything else is a defect: never caught but at the edge, where it becomes a 500.
No message here may carry a secret; whoever raises picks the words.
"""

from __future__ import annotations

from math import ceil


class PolyvalentError(Exception):
    """
    Tell a caller what went wrong and what to do, without a secret in it.

    `message` is a full sentence for a person; `provider_message` holds the vendor's own
    words where a vendor spoke; `headers` go out with the answer, such as `Elements-Trace-Id`.
    """

    status = 500

    def __init__(self, message: str, *, provider_message: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.provider_message = provider_message
        self.headers: tuple[tuple[str, str], ...] = ()


class CallerError(PolyvalentError):
    """Report a request that cannot be answered as it stands."""

    status = 400


class BadRequest(CallerError):
    """Report a request that is malformed, incomplete or contradicts itself."""


class UnsignableRequest(BadRequest):
    """Report a request that no OAuth signature can be made for."""


class Unauthorized(CallerError):
    """Report missing, malformed or unknown platform secrets."""

    status = 401


class Forbidden(CallerError):
    """Report something the caller may not do, or an instance that is disabled."""

    status = 403


class NotFound(CallerError):
    """Report something that does not exist, or not for this caller."""

    status = 404


class MethodNotAllowed(CallerError):
    """Report a method that the path does not take; `allowed` lists those it does."""

    status = 405

    def __init__(self, message: str, *, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.allowed = allowed


class NotAcceptable(CallerError):
    """Report an `Accept` header that no answer of this path satisfies."""

    status = 406


class Conflict(CallerError):
    """Report something that exists already."""

    status = 409


class PayloadTooLarge(CallerError):
    """Report a request body over the limit."""

    status = 413


class UnsupportedMediaType(CallerError):
    """Report a body in a format that the path does not read."""

    status = 415


class TooOften(CallerError):
    """
    Report a call that may be made again a little later.

    Nothing was done. `Retry-After` goes out with the answer, in whole seconds, at least 1.
    """

    status = 503

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.headers = (("Retry-After", str(max(1, ceil(retry_after_s)))),)


class TooManyEvents(TooOften):
    """Report a call that tells of changes without a signature, and is one too many."""

    status = 429


class RangeNotSatisfiable(CallerError):
    """Report a part of a file that begins behind its end."""

    status = 416


class VendorError(PolyvalentError):
    """Report that the vendor's system refused, failed or could not be asked."""

    status = 502


class VendorRefused(VendorError):
    """
    Report a refusal that the vendor meant: wrong credentials, missing permission, bad data.

    `status` is the normalized status for our caller; the vendor's words are in
    `provider_message`.
    """

    def __init__(self, message: str, *, status: int, provider_message: str | None = None) -> None:
        super().__init__(message, provider_message=provider_message)
        self.status = status


class VendorUnreachable(VendorError):
    """Report that no connection to the vendor came about: name, route, port or TLS."""


class VendorBusy(VendorError):
    """
    Report a store that is not to be called just now: it asked to wait, or it fails all the time.

    Nothing was done. `Retry-After` goes out with the answer, in whole seconds, at least 1.
    """

    status = 503

    def __init__(
        self, message: str, *, retry_after_s: float, provider_message: str | None = None
    ) -> None:
        super().__init__(message, provider_message=provider_message)
        self.headers = (("Retry-After", str(max(1, ceil(retry_after_s)))),)


class VendorFailure(VendorError):
    """Report an answer that is the vendor's own failure: 5xx, an HTML page, a broken body."""


class OutcomeUnknown(VendorFailure):
    """
    Report a write that the vendor may have carried out, which looking could not decide.

    The error body has `"outcome": "unknown"`.
    """

    outcome = "unknown"


class VendorTimeout(VendorError):
    """Report that the vendor did not answer within the deadline."""

    status = 504


class PlatformError(PolyvalentError):
    """Report something that the operator of this platform must look at."""


class Misconfigured(PlatformError):
    """Report a setting, key or file that keeps the platform from working."""


class Unavailable(PlatformError):
    """Report that the platform cannot take the request now; a later try may work."""

    status = 503
