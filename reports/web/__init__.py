"""The web console: pages behind signed links, without a login. `vocwatch serve` runs it."""

from reports.web.app import make_app
from reports.web.serve import serve

__all__ = ["make_app", "serve"]
