"""Delivery: messages are put into the outbox once, and sent from there until they have arrived.

`enqueue_digest` and `enqueue_notice` put in, `deliver` sends what is due. Alerts are put in by `reports.alerting`.
"""

from reports.delivery.deliver import DeliveryReport, Tried, deliver
from reports.delivery.digests import Enqueued, enqueue_digest
from reports.delivery.faults import DeliveryError
from reports.delivery.notices import enqueue_notice
from reports.delivery.unsubscribe import unsubscribe

__all__ = [
    "DeliveryError", "DeliveryReport", "Enqueued", "Tried", "deliver", "enqueue_digest", "enqueue_notice", "unsubscribe",
]
