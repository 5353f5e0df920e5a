"""Whether the login page offers the company's own accounts."""

from __future__ import annotations

from vocwatch.settings import Settings


def label(settings: Settings) -> str:
    """Return the words on the button, empty where no provider is configured."""
    oidc = settings.app.console.oidc
    return oidc.label if oidc.issuer else ""
