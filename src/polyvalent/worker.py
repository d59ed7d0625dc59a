"""Join the kinds of jobs to what does them."""

from __future__ import annotations

from polyvalent.hub.access import HubAccess
from polyvalent.jobs.kind import Kinds
from polyvalent.jobs.scheduled_call import CallApi, call_kind


def make_kinds(access: HubAccess, *, call_api: CallApi) -> Kinds:
    """Return every kind of job that this version knows; `call_api` is the way to our own API."""
    database = access.ports.database
    return Kinds([call_kind(database, call_api)])
