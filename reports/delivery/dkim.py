"""Signing mails with DKIM, for those who send without a mail house that does so itself.

Most do sign: 腾讯企业邮, 阿里邮箱, Exchange and every hosted relay sign what they are handed, under their customer's
domain, and keep the key. So this is an extra (`pip install 'vocwatch[dkim]'`), used when VOCWATCH_DKIM_KEY is set: for
an own Postfix without a signing milter. RFC 8058 asks that the signature covers both List-Unsubscribe headers.
"""

from __future__ import annotations

import logging

from reports.delivery.faults import Failure
from vocwatch.lang import tr
from vocwatch.settings import Smtp

COVERED = (
    "from", "to", "subject", "date", "message-id", "in-reply-to", "references", "reply-to", "list-id", "list-unsubscribe",
    "list-unsubscribe-post", "auto-submitted", "mime-version", "content-type",
)


def signed(raw: bytes, smtp: Smtp) -> bytes:
    """Return the mail with its signature on top, or as it is where no key is set. Raises Failure."""
    if not smtp.dkim_key:
        return raw
    try:
        import dkim
    except ImportError:
        raise Failure("config", tr(
            "设了 VOCWATCH_DKIM_KEY，但缺少组件：pip install 'vocwatch[dkim]'",
            "VOCWATCH_DKIM_KEY is set but the extra is missing: pip install 'vocwatch[dkim]'",
        )) from None
    domain = smtp.dkim_domain or (smtp.sender or smtp.user).rpartition("@")[2].rstrip(">")
    there = {line.split(b":", 1)[0].lower() for line in raw.split(b"\r\n\r\n", 1)[0].split(b"\r\n") if b":" in line}
    try:
        signature: bytes = dkim.sign(
            raw, smtp.dkim_selector.encode("ascii"), domain.encode("idna"), smtp.dkim_key.replace("\\n", "\n").encode(),
            canonicalize=(b"relaxed", b"relaxed"), include_headers=[n.encode() for n in COVERED if n.encode() in there],
            logger=logging.getLogger("vocwatch.dkim"),
        )
    except (dkim.DKIMException, ValueError, TypeError) as error:
        # The error's own words may quote the key.
        raise Failure("config", tr(
            f"DKIM 签不了（{type(error).__name__}）：VOCWATCH_DKIM_KEY 应是 PEM 格式的 RSA 私钥，VOCWATCH_DKIM_SELECTOR 是选择器名",
            f"cannot sign with DKIM ({type(error).__name__}): VOCWATCH_DKIM_KEY must be an RSA key as PEM, VOCWATCH_DKIM_SELECTOR its selector",
        )) from None
    return signature + raw
