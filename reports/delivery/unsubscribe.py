"""One click in a mail stops its list for that recipient; the administrators are told."""

from __future__ import annotations

import datetime as dt

from reports.delivery.notices import add_notice
from reports.links import link_secret, read
from vocwatch.lang import tr
from vocwatch.plain import one_line
from vocwatch.settings import Settings
from vocwatch.store import Store, pauses


def unsubscribe(settings: Settings, store: Store, token: str, *, now: dt.datetime) -> tuple[str, str]:
    """Stop the list that the token names; returns (recipient, list). Asking twice changes nothing.

    Raises reports.links.LinkError for a token that is not ours.
    """
    data = read("unsubscribe", token, link_secret(settings.env), now=now)
    recipient, which = str(data["to"]), str(data["list"])
    with store.begin() as connection:
        if pauses.pause(connection, recipient, which, why=tr("收件人自己退订", "unsubscribed by the recipient"), now=now):
            shown = one_line(recipient, 100)
            add_notice(
                settings, connection, f"unsubscribed/{recipient}/{which}/{now:%Y-%m-%d}",
                tr(f"{shown} 退订了 {which}", f"{shown} has unsubscribed from {which}"),
                tr(f"{shown} 通过邮件里的链接退订了 {which}，之后不再发给 TA。\n"
                   f"恢复：vocwatch outbox resume {shown} {which}\n如果是误点，请联系本人；值班人员退订请另行安排接收人。",
                   f"{shown} used the link in a mail; {which} is not sent there any more.\n"
                   f"To resume: vocwatch outbox resume {shown} {which}\nAsk them whether it was meant; somebody on duty needs a stand-in."),
                now=now, without=(recipient,),
            )
    return recipient, which
