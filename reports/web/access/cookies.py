"""The console's cookies: the login, the form token of those who are not logged in, and browsers that are known."""

from __future__ import annotations

import base64
import hmac
import secrets
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from reports.links import link_secret
from reports.web.console import console_of
from vocwatch.settings import Environment

LOGIN, FORM, KNOWN = "vocwatch", "vocwatch_form", "vocwatch_known"
_KNOWN_SECONDS = 180 * 86400


def is_secure(request: Request) -> bool:
    """Whether the browser came by https, by what a believed proxy says or by the address that the console is known by."""
    if request.url.scheme == "https":
        return True
    known = urlsplit(console_of(request).settings.env.console_url)
    return known.scheme == "https" and request.headers.get("host", "").lower() == known.netloc.lower()


def _name(request: Request, name: str) -> str:
    # The prefix makes browsers refuse such a cookie from a neighbouring host or over http.
    return f"__Host-{name}" if is_secure(request) else name


def get(request: Request, name: str) -> str:
    """Return a cookie's value, empty where there is none."""
    return request.cookies.get(_name(request, name), "")


def put(request: Request, response: Response, name: str, value: str, seconds: int | None = None) -> None:
    """Set a cookie that scripts can't read and other sites' forms don't carry; without `seconds` it ends with the browser."""
    response.set_cookie(
        _name(request, name), value, max_age=seconds, path="/", secure=is_secure(request), httponly=True, samesite="lax"
    )


def drop(request: Request, response: Response, name: str) -> None:
    """Take a cookie back."""
    response.delete_cookie(_name(request, name), path="/", secure=is_secure(request), httponly=True, samesite="lax")


def login_secret(request: Request) -> str:
    """Return the login's secret, empty for none."""
    return get(request, LOGIN)


def csrf_of(request: Request) -> str:
    """Return the token that forms carry: derived from the login (or from `begin_form`), so it ends with it; else empty."""
    base: str = getattr(request.state, "form_secret", "") or login_secret(request)
    return _token(base) if base else ""


def _token(base: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(base.encode("utf-8", "replace"), b"vocwatch csrf", "sha256")[:24]).decode()


def begin_form(request: Request) -> None:
    """Give the forms of this page a token of their own, for somebody who is not logged in; `keep_form` goes with the answer."""
    request.state.form_secret = get(request, FORM) or secrets.token_urlsafe(24)


def keep_form(request: Request, response: Response) -> None:
    """Set the cookie that the token of `begin_form` hangs on."""
    put(request, response, FORM, request.state.form_secret)


def take_form(request: Request) -> None:
    """Hold a form that comes in against the cookie of `begin_form`, not against a login."""
    request.state.form_secret = get(request, FORM)


def know(request: Request, response: Response, user_id: int) -> None:
    """Remember that this person used this browser: what others do elsewhere shuts it out no more."""
    device = _device(request, user_id) or secrets.token_urlsafe(12)
    put(request, response, KNOWN, f"{device}.{_signed(console_of(request).settings.env, device, user_id)}", _KNOWN_SECONDS)


def _device(request: Request, user_id: int) -> str:
    device, _, mac = get(request, KNOWN).partition(".")
    good = hmac.compare_digest(mac.encode("utf-8", "replace"), _signed(console_of(request).settings.env, device, user_id).encode())
    return device if device and good else ""


def known_device(request: Request, user_id: int) -> str:
    """Return the name of this browser where this person has logged in with it before, else empty."""
    return _device(request, user_id)


def _signed(env: Environment, device: str, user_id: int) -> str:
    mac = hmac.digest(link_secret(env), f"device\0{device}\0{user_id}".encode("utf-8", "replace"), "sha256")
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")
