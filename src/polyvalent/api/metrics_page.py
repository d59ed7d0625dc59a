"""Answer /metrics: what this process counted, and how things stand now."""

from __future__ import annotations

import hmac
import time
from datetime import datetime

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from polyvalent.api.platform import Platform
from polyvalent.db.count import count_instances_by_state
from polyvalent.notifications.find import count_waiting

# The database is asked no oftener, however often somebody asks.
COUNTED_EVERY_S = 5.0


class MetricsPage:
    """Answer /metrics for one application."""

    def __init__(self) -> None:
        self._instances: dict[str, int] = {}
        self._deliveries: dict[str, int] = {}
        self._oldest_at: datetime | None = None
        self._counted_at_s = float("-inf")

    async def show(self, request: Request) -> Response:
        """Show the metrics, to those who know the token if there is one."""
        platform: Platform = request.app.state.platform
        token = platform.settings.metrics_token
        sent = request.headers.get("Authorization", "")
        if token and not hmac.compare_digest(sent.encode(), f"Bearer {token}".encode()):
            return PlainTextResponse(
                "These metrics want the header Authorization: Bearer <POLYVALENT_METRICS_TOKEN>.\n",
                status_code=401,
                headers={"WWW-Authenticate": "Bearer"},
            )
        if time.monotonic() - self._counted_at_s > COUNTED_EVERY_S:
            self._counted_at_s = time.monotonic()
            async with platform.ports.database.reading() as connection:
                self._instances = await count_instances_by_state(connection)
                self._deliveries, self._oldest_at = await count_waiting(connection)
        oldest_at, now = self._oldest_at, platform.ports.now()
        shown = platform.metrics.write(
            instances=self._instances,
            stores=platform.count_stores(),
            deliveries=self._deliveries,
            oldest_waiting_s=0.0 if oldest_at is None else (now - oldest_at).total_seconds(),
            cache_bytes=platform.answers.size_bytes,
            traces_lost=platform.journal.lost,
        )
        return Response(shown, headers={"Content-Type": CONTENT_TYPE_LATEST})
