"""Put the adapters together into one running platform, and take it apart again."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic

from cachetools import LRUCache, TTLCache

from polyvalent import __version__
from polyvalent.accounts.bootstrap import bootstrap, is_fresh
from polyvalent.accounts.identify import Callers
from polyvalent.api.answer_cache import AnswerCache
from polyvalent.api.metrics import Metrics
from polyvalent.api.strangers import Strangers
from polyvalent.builder.shelf import Shelf
from polyvalent.catalog.load import Catalog, load_catalog
from polyvalent.db import open_database
from polyvalent.db.key_file import open_key_file
from polyvalent.db.migrate import upgrade
from polyvalent.egress import Door
from polyvalent.egress.breaker import Breaker
from polyvalent.egress.mail import read_mailer, send_nothing
from polyvalent.events.follow import follow_events, foresee_events
from polyvalent.events.inbound import refuse_events
from polyvalent.events.work import EventWork
from polyvalent.hub.access import HubAccess
from polyvalent.hub.ledger import Ledger, open_ledger
from polyvalent.hub.model import Reach
from polyvalent.hub.obtain import obtain_values
from polyvalent.hub.prove import prove_connection
from polyvalent.instances.connect import make_send
from polyvalent.instances.lookout import Lookout
from polyvalent.instances.observe import observed
from polyvalent.instances.ports import Ports, pass_by
from polyvalent.instances.recall import Memory
from polyvalent.instances.supervise import make_supervisor
from polyvalent.jobs.bell import Bell
from polyvalent.notifications.delivery.attempt import DeliveryWork, SendMail
from polyvalent.settings import Settings
from polyvalent.spans.model import Spans
from polyvalent.spans.open import open_spans
from polyvalent.traces.journal import Journal
from polyvalent.traces.keep_call import keep_call
from polyvalent.transformations.resolve import Cache as MappingCache

# A secret that is taken away must not work for longer than this.
CALLERS_LIVE_S = 30
CALLERS_KEPT = 4096
MAPPINGS_KEPT = 2048  # instances


@dataclass(frozen=True, kw_only=True)
class Platform:
    """Hold everything that answers requests: settings, ports, the cache of known callers."""

    settings: Settings
    ports: Ports
    shelf: Shelf
    reach: Reach
    ledger: Ledger = field(repr=False)
    callers: Callers = field(repr=False)
    mappings: MappingCache = field(repr=False)
    journal: Journal = field(repr=False)
    answers: AnswerCache = field(repr=False)
    metrics: Metrics = field(repr=False)
    tellers: Strangers = field(repr=False)
    strangers: Strangers = field(repr=False)  # how often they called
    spans: Spans | None = None  # where they are sent
    count_stores: Callable[[], Mapping[str, int]] = field(repr=False)  # those in trouble
    send_mail: SendMail = field(repr=False)
    # To be rung after a job was submitted: a worker of this process then looks at once.
    bell: Bell = field(repr=False)

    @property
    def access(self) -> HubAccess:
        """Return the way to instances for whoever has no request, such as jobs."""
        return HubAccess(
            ports=self.ports,
            shelf=self.shelf,
            reach=self.reach,
            ledger=self.ledger,
            mappings=self.mappings,
            scan_limit=self.settings.scan_limit,
        )

    @property
    def deliveries(self) -> DeliveryWork:
        """Return what deliveries are made with."""
        return DeliveryWork(
            ports=self.ports, send_mail=self.send_mail, note=self.metrics.note_delivery
        )

    @property
    def event_work(self) -> EventWork:
        """Return what changes are noticed with."""
        return EventWork(
            access=self.access,
            reconcile_every=timedelta(hours=self.settings.reconcile_hours),
            kept_for=timedelta(days=self.settings.events_days),
        )

    @property
    def catalog(self) -> Catalog:
        """Return the elements and hubs."""
        return self.ports.catalog


def now_utc() -> datetime:
    """Read the clock."""
    return datetime.now(UTC)


@asynccontextmanager
async def open_platform(
    settings: Settings,
    *,
    now: Callable[[], datetime] = now_utc,
    random: Callable[[int], bytes] = os.urandom,
    mark: Callable[[str], None] = pass_by,
) -> AsyncIterator[Platform]:
    """
    Open a platform: key file, database brought up to date, first secrets, the door out.

    Raises Misconfigured or Unavailable, saying what to mend. Effects: creates what is missing.
    """
    catalog = load_catalog()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = await open_database(settings.database)
    door = Door(allow=settings.egress_allow, user_agent=f"polyvalent/{__version__}")
    journal: Journal | None = None
    spans: Spans | None = None
    try:
        if settings.exports_spans:
            spans = open_spans()
        await upgrade(database)
        keys = open_key_file(
            settings.key_path, now=now(), random=random, may_make=await is_fresh(database)
        )
        await bootstrap(database, keys, now=now(), random=random)
        metrics = Metrics(known=[element.key for element in catalog.elements])
        ports = Ports(
            database=database,
            keys=keys,
            catalog=catalog,
            door=door,
            now=now,
            random=random,
            memory=Memory(clock=monotonic),
            deadline_s=settings.vendor_deadline_s,
            lookout=Lookout(
                breaker=Breaker(
                    failures_max=settings.breaker_failures, rest_s=settings.breaker_rest_s
                ),
                note=metrics.note_vendor_call,
                spans=spans,
            ),
            prove=prove_connection,
            obtain=obtain_values,
            follow=partial(follow_events, keys=keys, now=now, random=random),
            foresee=foresee_events,
            note_events=metrics.note_events,
            mark=mark,
        )
        supervisor = make_supervisor(ports, settings, send=observed(make_send(ports)))
        journal = Journal(partial(keep_call, database, keys, random=random))
        yield Platform(
            settings=settings,
            ports=ports,
            shelf=Shelf(database=database, keys=keys, catalog=catalog, now=now, random=random),
            reach=supervisor.reach,
            count_stores=ports.lookout.breaker.count,
            ledger=open_ledger(ports, writers=settings.writers_per_store),
            callers=Callers(TTLCache(maxsize=CALLERS_KEPT, ttl=CALLERS_LIVE_S)),
            mappings=LRUCache(maxsize=MAPPINGS_KEPT),
            journal=journal,
            answers=AnswerCache(most_bytes=settings.cache_bytes),
            metrics=metrics,
            bell=Bell(),
            send_mail=read_mailer(settings.smtp_url).send if settings.smtp_url else send_nothing,
            tellers=Strangers(
                per_minute=settings.events_per_minute,
                proxies=settings.trusted_proxies,
                clock=monotonic,
                refuse=refuse_events,
            ),
            strangers=Strangers(
                per_minute=settings.strangers_per_minute,
                proxies=settings.trusted_proxies,
                clock=monotonic,
            ),
            spans=spans,
        )
    finally:
        if journal is not None:
            await journal.close()
        await door.close()
        if spans is not None:
            await spans.close()
        await database.close()
