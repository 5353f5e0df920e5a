"""`/login/oidc`: logging in by the company's own accounts (OpenID Connect, by authlib: code flow with PKCE)."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from fastapi import APIRouter, Depends
from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from reports.links import link_secret
from reports.web.access import cookies
from reports.web.access.login import let_in, login_page, own_path
from reports.web.access.people import note, public
from reports.web.console import Console, console_of
from reports.web.words import language_of, words
from vocwatch.plain import one_line
from vocwatch.settings.console import Oidc
from vocwatch.store import Connection
from vocwatch.store.access import users
from vocwatch.store.access.users import RANK, User, UserError

COOKIE = "vocwatch_oidc"
MINUTES = 10
SIGNATURES = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""What an ID token may be signed with: never `none`, never a key that both sides share."""
_log = logging.getLogger(__name__)
router = APIRouter(dependencies=[Depends(public)])


class _Refused(Exception):
    """Why somebody whom the provider vouches for is not let in; a key of the words."""


@router.api_route("/login/oidc", methods=["GET"])
async def begin(request: Request, next: str = "/") -> Response:
    """Send the browser to the provider; what comes back is held against a signed cookie of ten minutes."""
    console = console_of(request)
    try:
        client = _client(console)
        request.scope["session"] = {"next": own_path(next)}
        answer: Response = await client.authorize_redirect(request, _back(request))
    except Exception as error:  # the network, the provider's metadata, a missing package
        return await _sorry(request, "oidc_unreachable", error)
    sealed = _seal(console).dumps(request.scope["session"])
    cookies.put(request, answer, COOKIE, sealed, MINUTES * 60)
    return answer


@router.api_route("/login/oidc/back", methods=["GET"])
async def back(request: Request) -> Response:
    """Take what the provider says of somebody, and let them in by it, or say why not."""
    console = console_of(request)
    oidc = console.settings.app.console.oidc
    try:
        state = _seal(console).loads(cookies.get(request, COOKIE), max_age=MINUTES * 60)
    except BadSignature:
        return await _sorry(request, "oidc_stale")
    request.scope["session"] = state
    try:
        client = _client(console)
        metadata = await client.load_server_metadata()
        offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        metadata["id_token_signing_alg_values_supported"] = [name for name in offered if name in SIGNATURES]
        options = {"iss": {"essential": True, "values": [oidc.issuer, f"{oidc.issuer}/"]}, "aud": {"essential": True, "value": oidc.client_id}}
        token = await client.authorize_access_token(request, claims_options=options)
        claims = dict(token["userinfo"])
    except Exception as error:  # whatever is wrong with an answer from outside, it lets nobody in
        return await _sorry(request, "oidc_failed", error)
    try:
        answer = await run_in_threadpool(_let_in, request, oidc, claims, str(state.get("next", "/")))
    except _Refused as refused:
        return await _sorry(request, str(refused))
    cookies.drop(request, answer, COOKIE)
    return answer


def _let_in(request: Request, oidc: Oidc, claims: Mapping[str, Any], target: str) -> Response:
    console = console_of(request)
    try:
        with console.store.begin(durable=True) as connection:
            user = _person(connection, console, oidc, claims)
            return let_in(request, connection, user, "oidc", target)
    except _Refused:
        note(console, "?", "oidc", "login refused", one_line(f"{oidc.issuer} {claims.get('sub', '')}", 200))
        raise


def _person(connection: Connection, console: Console, oidc: Oidc, claims: Mapping[str, Any]) -> User:
    """Return whom the claims speak of, with the role that they have by now; made where they are new and allowed to be."""
    now = console.settings.clock.now()
    subject = f"{oidc.issuer} {claims['sub']}"
    if not claims["sub"] or len(subject) > 400:
        raise _Refused("oidc_failed")
    role, user = role_of(oidc, claims), users.by_subject(connection, subject)
    if user is None:
        if not role:
            raise _Refused("oidc_unknown")
        try:
            name = str(claims.get(oidc.name_claim) or claims.get("email") or claims["sub"])
            return users.add(connection, name, role, password=None, now=now, subject=subject)
        except UserError:  # a name that is taken is not handed over to whoever bears it elsewhere
            raise _Refused("oidc_taken") from None
    if not user.enabled or (oidc.roles and not role):
        raise _Refused("oidc_unknown")
    if oidc.roles and role != user.role:
        try:
            users.set_role(connection, user, role, now)
        except UserError:
            _log.warning("OIDC would take the last administrator's role; it stays")
        return users.by_id(connection, user.id)
    return user


def role_of(oidc: Oidc, claims: Mapping[str, Any]) -> str:
    """Return the highest role that the groups give, else the default; empty for none."""
    groups = claims.get(oidc.role_claim, ())
    named = [groups] if isinstance(groups, str) else list(groups) if isinstance(groups, Sequence) else []
    found = [oidc.roles[group] for group in named if isinstance(group, str) and group in oidc.roles]
    return max(found, key=RANK.__getitem__) if found else oidc.default_role


def _back(request: Request) -> str:
    """The address that the provider sends the browser back to: below the console's own, where it is known."""
    known = console_of(request).settings.env.console_url
    return f"{known or str(request.base_url).rstrip('/')}/login/oidc/back"


def _seal(console: Console) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(link_secret(console.settings.env), salt="vocwatch oidc")


def _client(console: Console) -> Any:
    oidc = console.settings.app.console.oidc
    if not oidc.issuer:
        raise LookupError("console.oidc.issuer")
    return _made(oidc.issuer, oidc.client_id, console.settings.env.oidc_secret)


@lru_cache(maxsize=4)
def _made(issuer: str, client_id: str, secret: str) -> Any:
    with warnings.catch_warnings():  # here: the extra [oidc] may be missing
        import authlib.deprecate  # noqa: F401 - it puts a filter of its own before all others

        warnings.simplefilter("ignore")  # it would rather have httpx under its next name
        from authlib.integrations.starlette_client import OAuth

    return OAuth().register(
        "provider", client_id=client_id, client_secret=secret or None, server_metadata_url=f"{issuer}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256", "timeout": 10},
    )


async def _sorry(request: Request, key: str, error: Exception | None = None) -> Response:
    if error is not None:
        _log.warning("OIDC: %s: %s", type(error).__name__, one_line(error, 300))
    answer = await run_in_threadpool(login_page, request, "/", words(key, language_of(request)), 403)
    cookies.drop(request, answer, COOKIE)
    return answer
