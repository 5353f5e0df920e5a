"""Evidence as WARC (ISO 28500), the format that web archives and courts' experts read."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import io
from collections.abc import Callable, Mapping
from pathlib import Path

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from vocwatch import __version__
from vocwatch.plain import safe_url
from vocwatch.store.evidence import Body, Case

# The stored body is the decompressed one: what described the bytes on the wire is kept under another name.
_WIRE = frozenset({"content-length", "content-encoding", "transfer-encoding", "content-md5", "connection", "trailer"})
_REASONS = {200: "OK", 301: "Moved Permanently", 302: "Found", 403: "Forbidden", 404: "Not Found", 410: "Gone"}


def write_warc(path: Path, case: Case, read: Callable[[str], bytes]) -> int:
    """Write the raw pages and screenshots of a mention as a gzip'd WARC file; returns how many records.

    `read` gives the bytes of a hash and raises where they are missing or altered: then no file is left behind.
    """
    draft = path.with_name(f".{path.name}.draft")
    records = 0
    try:
        with draft.open("wb") as file:
            writer = WARCWriter(file, gzip=True, warc_version="1.1")
            info = {"software": f"vocwatch/{__version__}", "format": "WARC File Format 1.1",
                    "description": f"{case.source} {case.native_id}"}
            writer.write_record(writer.create_warcinfo_record(path.name, info))
            for body in case.bodies:
                if not body.purged:
                    _response(writer, body, read(body.sha256))
                    records += 1
            for shot in case.shots:
                png = read(shot.sha256)
                writer.write_record(writer.create_warc_record(
                    safe_url(shot.url), "resource", payload=io.BytesIO(png), length=len(png),
                    warc_content_type="image/png", warc_headers_dict=_heads(shot.taken_at, png, shot.sha256),
                ))
                records += 1
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return records


def _response(writer: WARCWriter, body: Body, payload: bytes) -> None:
    assert body.fetched_at is not None
    status = f"{body.status} {_REASONS.get(body.status, '')}".strip()
    http = StatusAndHeaders(status, _http_headers(body.headers, len(payload)), protocol="HTTP/1.1")
    writer.write_record(writer.create_warc_record(
        safe_url(body.final_url), "response", payload=io.BytesIO(payload), length=len(payload), http_headers=http,
        warc_headers_dict=_heads(body.fetched_at, payload, body.sha256),
    ))


def _http_headers(stored: Mapping[str, str], length: int) -> list[tuple[str, str]]:
    kept = [(f"X-Archive-Orig-{name}" if name in _WIRE else name, value) for name, value in stored.items()]
    return [(name, value.replace("\n", " ")) for name, value in kept] + [("Content-Length", str(length))]


def _heads(moment: dt.datetime, payload: bytes, sha256: str) -> dict[str, str]:
    digest = base64.b32encode(hashlib.sha256(payload).digest()).decode()
    return {
        "WARC-Date": moment.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "WARC-Payload-Digest": f"sha256:{digest}", "X-Sha256": sha256,
    }
