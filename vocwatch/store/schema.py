"""The tables. Times are UTC; `day` columns are business dates. docs/data-dictionary is made from these comments.

Every table that a stage fills has a natural unique key, so that any stage can be killed at any instruction and
run again with the same result.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Index, Table, UniqueConstraint

from vocwatch.store import config_schema, delivery_schema, desk_schema, people_schema, schedule_schema  # noqa: F401 - so that their tables are known wherever these are
from vocwatch.store.access import schema as access_schema  # noqa: F401 - so that its tables are known too
from vocwatch.store.columns import BigId, UtcTime, metadata

runs = Table(
    "runs", metadata,
    Column("id", BigId, primary_key=True),
    Column("kind", sa.String(20), nullable=False, comment="crawl, import, analyse, incidents, digest"),
    Column("subject", sa.String(200), nullable=False, comment="source, file, or business date"),
    Column("status", sa.String(12), nullable=False, comment="running, done, failed"),
    Column("outcome", sa.String(12), comment="crawl only: ok, degraded, blocked, empty, not-run"),
    Column("reason", sa.Text, comment="why the outcome is what it is, in words"),
    Column("started_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    Column("stats", sa.JSON, nullable=False, comment="counts: pages, records, new, field coverage, errors …"),
    Index(None, "kind", "subject", "started_at"),
    comment="One row for each piece of work that was started",
)

source_state = Table(
    "source_state", metadata,
    Column("source", sa.String(64), primary_key=True),
    Column("high_water", UtcTime, comment="newest publication time of the last finished run"),
    Column("next_allowed_at", UtcTime, comment="not before this (Retry-After, back-off)"),
    Column("blocks", sa.Integer, nullable=False, server_default=sa.text("0"), comment="blocked runs in a row"),
    Column("updated_at", UtcTime, nullable=False),
    comment="What a source remembers between runs; moved only by a finished run",
)

pages = Table(
    "pages", metadata,
    Column("id", BigId, primary_key=True),
    Column("run_id", BigId, nullable=False, index=True),
    Column("source", sa.String(64), nullable=False),
    Column("url", sa.Text, nullable=False, comment="as requested"),
    Column("final_url", sa.Text, nullable=False),
    Column("status", sa.Integer, nullable=False),
    Column("headers", sa.JSON, nullable=False),
    Column("sha256", sa.String(64), nullable=False, index=True, comment="of the decompressed body"),
    Column("size", sa.Integer, nullable=False),
    Column("fetched_at", UtcTime, nullable=False, comment="when this body was first seen at this address"),
    Column("seen_at", UtcTime, index=True, comment="when it was last seen there, a 304 included"),
    UniqueConstraint("source", "url", "sha256"),
    comment="Evidence: one row for each different body seen at an address; the body is in the evidence folder",
)

visits = Table(
    "visits", metadata,
    Column("source", sa.String(64), primary_key=True),
    Column("url", sa.Text, primary_key=True, comment="as a listing named it"),
    Column("native_id", sa.String(300)),
    Column("carried", sa.JSON, nullable=False, comment="values that the listing gave along"),
    Column("published_at", UtcTime, comment="of the post on it; null for a page of many posts"),
    Column("visited_at", UtcTime, nullable=False, comment="when it was last read to its end"),
    Column("changed_at", UtcTime, comment="when reading it again last brought something new"),
    Column("missing_since", UtcTime, comment="first found removed; a second look a day later settles it"),
    comment="Detail pages read to their end, comments included: what a later run need not read again",
)

mentions = Table(
    "mentions", metadata,
    Column("id", BigId, primary_key=True),
    Column("source", sa.String(64), nullable=False),
    Column("native_id", sa.String(300), nullable=False, comment="the site's own id, or the canonical URL"),
    Column("url", sa.Text, nullable=False),
    Column("kind", sa.String(12), nullable=False),
    Column("parent", sa.String(300), comment="native id of the post it belongs to"),
    Column("author_key", sa.String(32), index=True, comment="keyed pseudonym of the author"),
    Column("order_key", sa.String(32), comment="keyed pseudonym of the order, from a merchant export; joins sessions"),
    Column("published_at", UtcTime, comment="as the page says; never later than first_seen_at"),
    Column("precision", sa.String(8), nullable=False),
    Column("first_seen_at", UtcTime, nullable=False),
    Column("last_seen_at", UtcTime, nullable=False),
    Column("missing_since", UtcTime, comment="first found removed from its site"),
    Column("gone_at", UtcTime, comment="found removed again at least 24 hours later: deleted"),
    Column("purged_at", UtcTime, comment="when its text was removed here"),
    Column("rating", sa.Float),
    Column("likes", sa.BigInteger),
    Column("replies", sa.BigInteger),
    Column("shares", sa.BigInteger),
    Column("views", sa.BigInteger),
    Column("product", sa.String(200), comment="product name that the page ties it to"),
    Column("sku", sa.String(100)),
    Column("shop", sa.String(200)),
    Column("revision_id", BigId, comment="its newest revision"),
    UniqueConstraint("source", "native_id"),
    Index(None, "published_at"),
    Index(None, "source", "parent"),
    comment="External posts, reviews, comments, complaints, articles",
)

revisions = Table(
    "revisions", metadata,
    Column("id", BigId, primary_key=True),
    Column("mention_id", BigId, sa.ForeignKey("mentions.id", ondelete="CASCADE"), nullable=False),
    Column("text_sha", sa.String(64), nullable=False),
    Column("title", sa.Text),
    Column("text", sa.Text, nullable=False, comment="masked of personal data"),
    Column("seen_at", UtcTime, nullable=False),
    Column("page_sha", sa.String(64), comment="evidence it was read from"),
    UniqueConstraint("mention_id", "text_sha"),
    comment="Each different text that a mention had",
)

engagement = Table(
    "engagement", metadata,
    Column("mention_id", BigId, sa.ForeignKey("mentions.id", ondelete="CASCADE"), primary_key=True),
    Column("seen_at", UtcTime, primary_key=True),
    Column("likes", sa.BigInteger),
    Column("replies", sa.BigInteger),
    Column("shares", sa.BigInteger),
    Column("views", sa.BigInteger),
    comment="How a mention's counts went on: a row for each time that any of them was seen changed",
)

shots = Table(
    "shots", metadata,
    Column("id", BigId, primary_key=True),
    Column("mention_id", BigId, sa.ForeignKey("mentions.id", ondelete="CASCADE"), nullable=False),
    Column("revision_id", BigId, nullable=False, comment="the revision that was newest when it was taken"),
    Column("url", sa.Text, nullable=False),
    Column("sha256", sa.String(64), nullable=False, comment="of the PNG in the evidence folder"),
    Column("taken_at", UtcTime, nullable=False),
    Column("width", sa.Integer, nullable=False, comment="pixels"),
    Column("height", sa.Integer, nullable=False, comment="pixels"),
    UniqueConstraint("mention_id", "revision_id"),
    comment="Screenshots of what reached a digest or an alert",
)

erasures = Table(
    "erasures", metadata,
    Column("id", BigId, primary_key=True),
    Column("why", sa.String(20), nullable=False, comment="raw_days, text_days, deleted, evidence_days, samples, audit_days, request"),
    Column("source", sa.String(64)),
    Column("subject", sa.String(200), nullable=False, comment="what was asked for, as a hash where it names a person"),
    Column("rows", sa.Integer, nullable=False, comment="how many rows or files went"),
    Column("at", UtcTime, nullable=False),
    comment="Proof of what was deleted when and why",
)

sessions = Table(
    "sessions", metadata,
    Column("id", BigId, primary_key=True),
    Column("native_id", sa.String(200), nullable=False),
    Column("path", sa.String(12), nullable=False, comment="服务红线 非满意 中差评 品退 流失 舆情关键词"),
    Column("started_at", UtcTime, nullable=False, index=True),
    Column("shop", sa.String(200)),
    Column("platform", sa.String(100)),
    Column("sku", sa.String(100)),
    Column("product", sa.String(200)),
    Column("order_key", sa.String(32), comment="keyed pseudonym of the order number"),
    Column("agent_key", sa.String(32)),
    Column("buyer_key", sa.String(32)),
    Column("rating", sa.String(100)),
    Column("stars", sa.Float),
    Column("return_reason", sa.String(200)),
    Column("violation", sa.String(200)),
    Column("amount", sa.Float),
    Column("review", sa.Text),
    Column("response_seconds", sa.Float),
    Column("resolved", sa.Boolean),
    Column("run_id", BigId, nullable=False, index=True, comment="the import that brought it"),
    Column("text_sha", sa.String(64), nullable=False),
    Column("imported_at", UtcTime, nullable=False),
    Column("keywords", sa.String(16), comment="version of the keyword classes it was searched with; null: not yet"),
    UniqueConstraint("native_id", "path"),
    comment="Internal customer-service conversations, masked",
)

turns = Table(
    "turns", metadata,
    Column("session_id", BigId, sa.ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", sa.Integer, primary_key=True),
    Column("role", sa.String(10), nullable=False, comment="customer, agent, system"),
    Column("text", sa.Text, nullable=False),
    Column("at", UtcTime),
    comment="Utterances of a session, masked",
)

session_keywords = Table(
    "session_keywords", metadata,
    Column("session_id", BigId, sa.ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", sa.Integer, primary_key=True, comment="the customer's turn"),
    Column("start", sa.Integer, primary_key=True),
    Column("name", sa.String(40), primary_key=True, comment="keyword class of config/keywords.yaml"),
    Column("end", sa.Integer, nullable=False),
    Column("word", sa.String(80), nullable=False, comment="as it stands in the turn"),
    comment="Which words of which keyword class the customer's turns hold",
)

totals = Table(
    "totals", metadata,
    Column("day", sa.Date, primary_key=True),
    Column("shop", sa.String(200), primary_key=True, comment="empty for all shops together"),
    Column("what", sa.String(20), primary_key=True,
           comment="sessions, orders, returns, quality_returns, reviews, bad_reviews, rated, satisfied, fair, unsatisfied, resolved, answered"),
    Column("value", sa.BigInteger, nullable=False),
    Column("basis", sa.String(8), nullable=False,
           comment="given: from an export of daily totals; counted: in an export of all sessions, a lower bound"),
    Column("run_id", BigId, nullable=False, comment="the import that brought it"),
    Column("imported_at", UtcTime, nullable=False),
    comment="Denominators of a day; a day without a row is unknown, not 0",
)

import_files = Table(
    "import_files", metadata,
    Column("path", sa.String(500), primary_key=True, comment="in the watched folder"),
    Column("size", sa.BigInteger, nullable=False),
    Column("changed_ns", sa.BigInteger, nullable=False, comment="modification time at the last look"),
    Column("seen_at", UtcTime, nullable=False, comment="when this size and time were first seen"),
    Column("sha256", sa.String(64), comment="of the content that was taken"),
    Column("state", sa.String(10), nullable=False, comment="waiting, done, partial, refused"),
    Column("reason", sa.Text),
    Column("run_id", BigId),
    Index(None, "sha256"),
    comment="What the watched import folder held at the last look, and what became of it",
)

assessments = Table(
    "assessments", metadata,
    Column("id", BigId, primary_key=True),
    Column("text_kind", sa.String(8), nullable=False, comment="mention or session"),
    Column("ref_id", BigId, nullable=False, comment="mention id or session id"),
    Column("revision_id", BigId, comment="the revision judged (mentions)"),
    Column("text_sha", sa.String(64), nullable=False),
    Column("model_version", sa.String(80), nullable=False),
    Column("brand_match", sa.Boolean, nullable=False),
    Column("sentiment", sa.String(8), nullable=False),
    Column("score", sa.Float, nullable=False, comment="−1 negative to +1 positive"),
    Column("confidence", sa.Float, nullable=False),
    Column("mixed", sa.Boolean, nullable=False),
    Column("severity", sa.Integer, nullable=False, comment="0 to 3"),
    Column("topics", sa.JSON, nullable=False),
    Column("red_lines", sa.JSON, nullable=False),
    Column("spans", sa.JSON, nullable=False),
    Column("voice", sa.String(12), nullable=False, comment="customer, ad, lottery, resale, recruit, merchant, media, other"),
    Column("fingerprint", sa.LargeBinary, nullable=False),
    Column("refused", sa.Text),
    Column("truncated", sa.Boolean, nullable=False, server_default=sa.text("false"),
           comment="only the beginning of an over-long text was judged"),
    Column("review", sa.Boolean, nullable=False, server_default=sa.text("false"),
           comment="待复核: the next likely class is close"),
    Column("assessed_at", UtcTime, nullable=False, index=True),
    UniqueConstraint("text_kind", "ref_id"),
    comment="The judgement of the newest text of each mention and session",
)

hits = Table(
    "hits", metadata,
    Column("id", BigId, primary_key=True),
    Column("text_kind", sa.String(8), nullable=False),
    Column("ref_id", BigId, nullable=False),
    Column("watch", sa.String(64), nullable=False),
    Column("kind", sa.String(12), nullable=False, comment="brand, product, competitor, keyword"),
    Column("rule", sa.String(40), nullable=False),
    Column("start", sa.Integer, nullable=False),
    Column("end", sa.Integer, nullable=False),
    Column("matched", sa.String(200), nullable=False),
    UniqueConstraint("text_kind", "ref_id", "watch", "start"),
    Index(None, "watch", "text_kind"),
    comment="Which watch a text matched, by which rule and where",
)

changes = Table(
    "changes", metadata,
    Column("id", BigId, primary_key=True),
    Column("text_kind", sa.String(8), nullable=False),
    Column("ref_id", BigId, nullable=False),
    comment="Texts that were judged, moved or erased since their trace was made; written by triggers",
)

traces = Table(
    "traces", metadata,
    Column("text_kind", sa.String(8), primary_key=True),
    Column("ref_id", BigId, primary_key=True),
    Column("day", sa.Integer, nullable=False, comment="business date as a number: 0001-01-01 is 1"),
    Column("made_with", sa.Integer, nullable=False, comment="mark of the watches, topics and zone it was made with"),
    Column("channel", sa.String(64), nullable=False, comment="source, or sessions"),
    Column("counted", sa.Boolean, nullable=False, comment="stands in the volume of its day"),
    Column("negative", sa.Boolean, nullable=False),
    Column("complains", sa.Boolean, nullable=False, comment="stands in the baselines; the columns below are empty otherwise"),
    Column("moment", sa.BigInteger, nullable=False, comment="microseconds since 1970"),
    Column("native_id", sa.String(300)),
    Column("parent", sa.String(300)),
    Column("author", sa.String(32), comment="keyed pseudonym"),
    Column("product", sa.String(200)),
    Column("topics", sa.Text, comment="one a line; empty for an answer that shares those of its post"),
    Column("signature", sa.LargeBinary, comment="MinHash, where the text is long enough to be a copy"),
    Column("clauses", sa.LargeBinary, comment="hashes of its clauses, 8 bytes each"),
    Column("twins", sa.Text, comment="mentions that it resembles, one of each group of copies known when it was made"),
    Index(None, "day", "made_with", "complains", "counted", "channel", "negative"),
    comment="In short what each judged text adds to volumes, baselines and clusters; made anew from it at any time",
)

day_words = Table(
    "day_words", metadata,
    Column("day", sa.Integer, primary_key=True, autoincrement=False, comment="business date as a number: 0001-01-01 is 1"),
    Column("made_with", sa.Integer, nullable=False, comment="mark of the words that count"),
    Column("words", sa.JSON, nullable=False, comment="in how many negative texts of the day each word stands"),
    comment="The words of a day's negative mentions, counted; taken away when one of its texts changes",
)

incidents = Table(
    "incidents", metadata,
    Column("id", sa.String(40), primary_key=True),
    Column("brand", sa.String(64), nullable=False),
    Column("product", sa.String(100), comment="SKU, or null for the whole brand"),
    Column("topic", sa.String(100), nullable=False),
    Column("title", sa.Text, nullable=False),
    Column("shop", sa.String(200)),
    Column("owner", sa.String(100), nullable=False),
    Column("first_day", sa.Date, nullable=False),
    Column("last_day", sa.Date, nullable=False),
    Column("first_seen_at", UtcTime, nullable=False),
    Column("recurs_of", sa.String(40), comment="the earlier incident of the same kind that this one repeats"),
    Index(None, "last_day"),
    comment="Mentions and sessions on one product and topic, close in time",
)

incident_days = Table(
    "incident_days", metadata,
    Column("incident_id", sa.String(40), sa.ForeignKey("incidents.id", ondelete="CASCADE"), primary_key=True),
    Column("day", sa.Date, primary_key=True),
    Column("level", sa.String(2), nullable=False),
    Column("state", sa.String(4), nullable=False),
    Column("score", sa.Float, nullable=False),
    Column("parts", sa.JSON, nullable=False, comment="the six parts of the score, each 0 to 1"),
    Column("why", sa.JSON, nullable=False, comment="sentences as key and values, put into words by reports/say.py"),
    Column("authors", sa.Integer, nullable=False, comment="independent voices of the day, outside and inside"),
    Column("mentions", sa.Integer, nullable=False, comment="of the day"),
    Column("sessions", sa.Integer, nullable=False, comment="of the day"),
    Column("expected", sa.Float, comment="baseline of the voices; null when there is too little history"),
    Column("p_value", sa.Float),
    Column("formula", sa.String(40), nullable=False),
    Column(
        "watched", sa.Boolean, nullable=False, server_default=sa.false(),
        comment="below an incident: a red line of one voice, or a rise that may be chance",
    ),
    comment="An incident's score and state on each business date",
)

incident_members = Table(
    "incident_members", metadata,
    Column("incident_id", sa.String(40), sa.ForeignKey("incidents.id", ondelete="CASCADE"), primary_key=True),
    Column("text_kind", sa.String(8), primary_key=True),
    Column("ref_id", BigId, primary_key=True),
    Column("day", sa.Date, nullable=False, comment="business date on which it joined"),
    Column("cluster", BigId, comment="mention id of the origin that it copies, itself if original"),
    Index(None, "text_kind", "ref_id"),
    comment="Which mentions and sessions make an incident",
)

alerts = Table(
    "alerts", metadata,
    Column("id", BigId, primary_key=True),
    Column("incident_id", sa.String(40), nullable=False),
    Column("level", sa.String(2), nullable=False),
    Column("day", sa.Date, nullable=False),
    Column("raised_at", UtcTime, nullable=False),
    Column("mention_ids", sa.JSON, nullable=False),
    Column("session_ids", sa.JSON, nullable=False),
    UniqueConstraint("incident_id", "level", "day"),
    comment="Red-line alerts that were raised",
)

digests = Table(
    "digests", metadata,
    Column("id", BigId, primary_key=True),
    Column("day", sa.Date, nullable=False),
    Column("audience", sa.String(40), nullable=False),
    Column("generated_at", UtcTime, nullable=False),
    Column("content", sa.JSON, nullable=False, comment="the digest JSON"),
    Column("sent_at", UtcTime, comment="when it was handed over for sending: from then on the content stays as it is"),
    UniqueConstraint("day", "audience"),
    comment="One digest per business date and audience: as it was sent, else as written last",
)

feedback = Table(
    "feedback", metadata,
    Column("id", BigId, primary_key=True),
    Column("subject_kind", sa.String(8), nullable=False, comment="mention, session, incident"),
    Column("subject_id", sa.String(40), nullable=False, comment="its id; of an incident its id, a slash and the day"),
    Column("verdict", sa.String(12), nullable=False, comment="准 不准 误报 漏报 重复 已转派 已处置"),
    Column("label", sa.String(8), comment="the right sentiment of a text, or level of an incident (红 橙 黄 蓝 无), where it was said"),
    Column("topics", sa.JSON, comment="the right topics, where they were said"),
    Column("note", sa.Text, comment="masked of personal data"),
    Column("who", sa.String(100), nullable=False, comment="as the channel names them"),
    Column("channel", sa.String(12), nullable=False, comment="cli, mail, console; settled: a second person's ruling"),
    Column("text_sha", sa.String(64), comment="the text that was judged (mentions, sessions)"),
    Column("model_version", sa.String(80), comment="that had judged it"),
    Column("judged", sa.JSON, nullable=False, comment="what had been said of it: sentiment, topics, severity"),
    Column("at", UtcTime, nullable=False, index=True),
    UniqueConstraint("subject_kind", "subject_id", "who", "verdict"),
    comment="What people said of findings; on a subject the ruling counts, else the newest verdict, none while it is disputed",
)
