"""Name the kinds of jobs that bulk needs, each with what does it."""

from __future__ import annotations

from functools import partial

from polyvalent.bulk.callback import call_back
from polyvalent.bulk.download import download
from polyvalent.bulk.finish import note_failure
from polyvalent.bulk.sweep import sweep
from polyvalent.bulk.upload import upload
from polyvalent.bulk.work import CALLBACK, DOWNLOAD, SWEEP, UPLOAD, WORKFLOW, BulkWork
from polyvalent.bulk.workflow import work_on
from polyvalent.jobs.kind import Kind

# 1 s, 2 s, 4 s … at most five minutes apart: about four hours.
_CALLBACK_ATTEMPTS = 55
# About an hour: what is written half is worth waiting for.
_UPLOAD_ATTEMPTS = 20


def bulk_kinds(work: BulkWork) -> tuple[Kind, ...]:
    """Return the kinds of jobs of bulk."""
    return (
        Kind(name=DOWNLOAD, handle=partial(download, work), ended=partial(note_failure, work)),
        Kind(
            name=UPLOAD,
            handle=partial(upload, work),
            attempts_max=_UPLOAD_ATTEMPTS,
            ended=partial(note_failure, work),
        ),
        Kind(name=CALLBACK, handle=partial(call_back, work), attempts_max=_CALLBACK_ATTEMPTS),
        Kind(name=WORKFLOW, handle=partial(work_on, work)),
        Kind(name=SWEEP, handle=partial(sweep, work), attempts_max=None),
    )
