"""
Failures on demand: outages, lost answers, and writes that report an error although applied.

What each looks like on the wire is from recording folder rest-outage and concurrency.json.
"""

from polyvalent.sandbox.magento import admin_html as html
from polyvalent.sandbox.magento.exchange import Answer
from polyvalent.sandbox.magento.state import Store


def outage(store: Store, *, is_front: bool) -> Answer | None:
    """
    Return the outage that a request runs into, if any; nothing of it is carried out.

    `is_front` is true for everything but REST: only there the maintenance flag is looked at.
    """
    options = store.options
    if options.php_down:
        return gateway(502, "Bad Gateway")
    if options.database_down:
        return Answer(status=503, body=html.report_page())
    if options.maintenance and is_front:
        return Answer(status=503, body=html.maintenance_page())
    if store.happens(options.fail_rate):
        return store.chance.choice(
            [
                gateway(502, "Bad Gateway"),
                Answer(status=503, body=html.report_page()),
                Answer(status=500),
            ]
        )
    return None


def lost_answer() -> Answer:
    """Return what a client sees when the web server gave up waiting for PHP."""
    return gateway(504, "Gateway Time-out")


def gateway(status: int, reason: str) -> Answer:
    """Answer as the web server itself."""
    return Answer(status=status, content_type="text/html", body=html.gateway_page(status, reason))


def empty_500() -> Answer:
    """Answer as PHP does after a fatal error."""
    return Answer(status=500)
