"""Give these tests a platform, a receiver of deliveries, and somebody who works off the jobs."""

from tests.journeys.fixtures import own_stage, stage, working_stage

__all__ = ["own_stage", "stage", "working_stage"]
