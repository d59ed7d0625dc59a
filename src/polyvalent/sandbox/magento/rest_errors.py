"""
How REST calls fail, in the vendor's words.

An ApiError carries the list of messages; the status is the code of the last one if that is a
proper API error, otherwise 500 (so an internal code of 0 or 42 comes with HTTP 500).
"""

Message = tuple[int, str]

PRE_VALIDATION = (400, "Resource data pre-validation error.")


class ApiError(Exception):
    """Refuse a REST call with one or more messages."""

    def __init__(self, *messages: Message, status: int | None = None) -> None:
        super().__init__(messages)
        self.messages = messages
        code = messages[-1][0]
        self.status = status or (code if 400 <= code <= 599 else 500)


def not_found() -> ApiError:
    """Say that there is no such entity."""
    return ApiError((404, "Resource not found."))


def invalid_data() -> ApiError:
    """Say that nothing usable was in the body."""
    return ApiError((400, "The request data is invalid."))


def not_implemented() -> ApiError:
    """Say that the resource lacks this method."""
    return ApiError((405, "Resource method not implemented yet."))


def unsupported() -> ApiError:
    """Say that the resource refuses this method."""
    return ApiError((405, "Resource does not support method."))


def invalid(problems: list[str]) -> ApiError:
    """List what is wrong with the data, ended by the vendor's closing message."""
    return ApiError(*[(400, problem) for problem in problems], PRE_VALIDATION)


class ReportPage(Exception):
    """End the call with the store's HTML report page, status 503."""
