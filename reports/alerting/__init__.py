"""Red-line alerts: what must be said now, to whom it goes, and what keeps still."""

from reports.alerting.notify import Judged, Notified, judge, notify

__all__ = ["Judged", "Notified", "judge", "notify"]
