"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vocwatch.store.columns import UtcTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "alerts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("incident_id", sa.String(length=40), nullable=False),
        sa.Column("level", sa.String(length=2), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("raised_at", UtcTime(), nullable=False),
        sa.Column("mention_ids", sa.JSON(), nullable=False),
        sa.Column("session_ids", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("incident_id", "level", "day", name=op.f("uq_alerts_incident_id")),
        comment="Red-line alerts that were raised",
    )
    op.create_table(
        "assessments",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("text_kind", sa.String(length=8), nullable=False, comment="mention or session"),
        sa.Column(
            "ref_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="mention id or session id",
        ),
        sa.Column(
            "revision_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="the revision judged (mentions)",
        ),
        sa.Column("text_sha", sa.String(length=64), nullable=False),
        sa.Column("model_version", sa.String(length=80), nullable=False),
        sa.Column("brand_match", sa.Boolean(), nullable=False),
        sa.Column("sentiment", sa.String(length=8), nullable=False),
        sa.Column("score", sa.Float(), nullable=False, comment="−1 negative to +1 positive"),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("mixed", sa.Boolean(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False, comment="0 to 3"),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("red_lines", sa.JSON(), nullable=False),
        sa.Column("spans", sa.JSON(), nullable=False),
        sa.Column(
            "voice", sa.String(length=12), nullable=False, comment="customer, ad, merchant, media, other"
        ),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("refused", sa.Text(), nullable=True),
        sa.Column(
            "truncated",
            sa.Boolean(),
            server_default=sa.text("(false)"),
            nullable=False,
            comment="only the beginning of an over-long text was judged",
        ),
        sa.Column("assessed_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessments")),
        sa.UniqueConstraint("text_kind", "ref_id", name=op.f("uq_assessments_text_kind")),
        comment="The judgement of the newest text of each mention and session",
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("audience", sa.String(length=40), nullable=False),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False, comment="claimed, sent, failed"),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("day", "audience", "recipient", name=op.f("uq_deliveries_day")),
        comment="Who was sent which digest",
    )
    op.create_table(
        "digests",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("audience", sa.String(length=40), nullable=False),
        sa.Column("generated_at", UtcTime(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False, comment="the digest JSON"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digests")),
        sa.UniqueConstraint("day", "audience", name=op.f("uq_digests_day")),
        comment="One digest per business date and audience, as written last",
    )
    op.create_table(
        "hits",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("text_kind", sa.String(length=8), nullable=False),
        sa.Column("ref_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("watch", sa.String(length=64), nullable=False),
        sa.Column(
            "kind", sa.String(length=12), nullable=False, comment="brand, product, competitor, keyword"
        ),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("matched", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hits")),
        sa.UniqueConstraint("text_kind", "ref_id", "watch", "start", name=op.f("uq_hits_text_kind")),
        comment="Which watch a text matched, by which rule and where",
    )
    with op.batch_alter_table("hits", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hits_watch"), ["watch", "text_kind"], unique=False)

    op.create_table(
        "incidents",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("brand", sa.String(length=64), nullable=False),
        sa.Column(
            "product", sa.String(length=100), nullable=True, comment="SKU, or null for the whole brand"
        ),
        sa.Column("topic", sa.String(length=100), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("shop", sa.String(length=200), nullable=True),
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("first_seen_at", UtcTime(), nullable=False),
        sa.Column(
            "recurs_of",
            sa.String(length=40),
            nullable=True,
            comment="the earlier incident of the same kind that this one repeats",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
        comment="Mentions and sessions on one product and topic, close in time",
    )
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_incidents_last_day"), ["last_day"], unique=False)

    op.create_table(
        "mentions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column(
            "native_id",
            sa.String(length=300),
            nullable=False,
            comment="the site's own id, or the canonical URL",
        ),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column(
            "parent", sa.String(length=300), nullable=True, comment="native id of the post it belongs to"
        ),
        sa.Column("author_key", sa.String(length=32), nullable=True, comment="keyed pseudonym of the author"),
        sa.Column(
            "published_at",
            UtcTime(),
            nullable=True,
            comment="as the page says; never later than first_seen_at",
        ),
        sa.Column("precision", sa.String(length=8), nullable=False),
        sa.Column("first_seen_at", UtcTime(), nullable=False),
        sa.Column("last_seen_at", UtcTime(), nullable=False),
        sa.Column("gone_at", UtcTime(), nullable=True, comment="first seen as removed"),
        sa.Column("rating", sa.Float(), nullable=True),
        sa.Column("likes", sa.BigInteger(), nullable=True),
        sa.Column("replies", sa.BigInteger(), nullable=True),
        sa.Column("shares", sa.BigInteger(), nullable=True),
        sa.Column("views", sa.BigInteger(), nullable=True),
        sa.Column(
            "product", sa.String(length=200), nullable=True, comment="product name that the page ties it to"
        ),
        sa.Column("sku", sa.String(length=100), nullable=True),
        sa.Column("shop", sa.String(length=200), nullable=True),
        sa.Column(
            "revision_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="its newest revision",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mentions")),
        sa.UniqueConstraint("source", "native_id", name=op.f("uq_mentions_source")),
        comment="External posts, reviews, comments, complaints, articles",
    )
    with op.batch_alter_table("mentions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mentions_author_key"), ["author_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_mentions_published_at"), ["published_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_mentions_source"), ["source", "parent"], unique=False)

    op.create_table(
        "pages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False, comment="as requested"),
        sa.Column("final_url", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False, comment="of the decompressed body"),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("fetched_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pages")),
        sa.UniqueConstraint("source", "url", "sha256", name=op.f("uq_pages_source")),
        comment="Evidence: one row for each different body seen at an address; the body is in the evidence folder",
    )
    with op.batch_alter_table("pages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pages_run_id"), ["run_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_pages_sha256"), ["sha256"], unique=False)

    op.create_table(
        "runs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind", sa.String(length=20), nullable=False, comment="crawl, import, analyse, incidents, digest"
        ),
        sa.Column("subject", sa.String(length=200), nullable=False, comment="source, file, or business date"),
        sa.Column("status", sa.String(length=12), nullable=False, comment="running, done, failed"),
        sa.Column(
            "outcome",
            sa.String(length=12),
            nullable=True,
            comment="crawl only: ok, degraded, blocked, empty, not-run",
        ),
        sa.Column("reason", sa.Text(), nullable=True, comment="why the outcome is what it is, in words"),
        sa.Column("started_at", UtcTime(), nullable=False),
        sa.Column("finished_at", UtcTime(), nullable=True),
        sa.Column(
            "stats",
            sa.JSON(),
            nullable=False,
            comment="counts: pages, records, new, field coverage, errors …",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        comment="One row for each piece of work that was started",
    )
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_runs_kind"), ["kind", "subject", "started_at"], unique=False)

    op.create_table(
        "sessions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("native_id", sa.String(length=200), nullable=False),
        sa.Column(
            "path",
            sa.String(length=12),
            nullable=False,
            comment="服务红线 非满意 中差评 品退 流失 舆情关键词",
        ),
        sa.Column("started_at", UtcTime(), nullable=False),
        sa.Column("shop", sa.String(length=200), nullable=True),
        sa.Column("platform", sa.String(length=100), nullable=True),
        sa.Column("sku", sa.String(length=100), nullable=True),
        sa.Column("product", sa.String(length=200), nullable=True),
        sa.Column(
            "order_key", sa.String(length=32), nullable=True, comment="keyed pseudonym of the order number"
        ),
        sa.Column("agent_key", sa.String(length=32), nullable=True),
        sa.Column("buyer_key", sa.String(length=32), nullable=True),
        sa.Column("rating", sa.String(length=100), nullable=True),
        sa.Column("stars", sa.Float(), nullable=True),
        sa.Column("return_reason", sa.String(length=200), nullable=True),
        sa.Column("violation", sa.String(length=200), nullable=True),
        sa.Column("amount", sa.Float(), nullable=True),
        sa.Column("review", sa.Text(), nullable=True),
        sa.Column("response_seconds", sa.Float(), nullable=True),
        sa.Column("resolved", sa.Boolean(), nullable=True),
        sa.Column(
            "run_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="the import that brought it",
        ),
        sa.Column("text_sha", sa.String(length=64), nullable=False),
        sa.Column("imported_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("native_id", "path", name=op.f("uq_sessions_native_id")),
        comment="Internal customer-service conversations, masked",
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_run_id"), ["run_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sessions_started_at"), ["started_at"], unique=False)

    op.create_table(
        "source_state",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column(
            "high_water", UtcTime(), nullable=True, comment="newest publication time of the last finished run"
        ),
        sa.Column(
            "next_allowed_at", UtcTime(), nullable=True, comment="not before this (Retry-After, back-off)"
        ),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_source_state")),
        comment="What a source remembers between runs; moved only by a finished run",
    )
    op.create_table(
        "visits",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False, comment="as a listing named it"),
        sa.Column("native_id", sa.String(length=300), nullable=True),
        sa.Column("carried", sa.JSON(), nullable=False, comment="values that the listing gave along"),
        sa.Column(
            "published_at",
            UtcTime(),
            nullable=True,
            comment="of the post on it; null for a page of many posts",
        ),
        sa.Column("visited_at", UtcTime(), nullable=False, comment="when it was last read to its end"),
        sa.PrimaryKeyConstraint("source", "url", name=op.f("pk_visits")),
        comment="Detail pages read to their end, comments included: what a later run need not read again",
    )
    op.create_table(
        "incident_days",
        sa.Column("incident_id", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("level", sa.String(length=2), nullable=False),
        sa.Column("state", sa.String(length=4), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False, comment="the six parts of the score, each 0 to 1"),
        sa.Column(
            "why",
            sa.JSON(),
            nullable=False,
            comment="sentences as key and values, put into words by reports/say.py",
        ),
        sa.Column(
            "authors",
            sa.Integer(),
            nullable=False,
            comment="independent voices of the day, outside and inside",
        ),
        sa.Column("mentions", sa.Integer(), nullable=False, comment="of the day"),
        sa.Column("sessions", sa.Integer(), nullable=False, comment="of the day"),
        sa.Column(
            "expected",
            sa.Float(),
            nullable=True,
            comment="baseline of the voices; null when there is too little history",
        ),
        sa.Column("p_value", sa.Float(), nullable=True),
        sa.Column("formula", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_incident_days_incident_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("incident_id", "day", name=op.f("pk_incident_days")),
        comment="An incident's score and state on each business date",
    )
    op.create_table(
        "incident_members",
        sa.Column("incident_id", sa.String(length=40), nullable=False),
        sa.Column("text_kind", sa.String(length=8), nullable=False),
        sa.Column("ref_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="business date on which it joined"),
        sa.Column(
            "cluster",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="mention id of the origin that it copies, itself if original",
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incidents.id"],
            name=op.f("fk_incident_members_incident_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("incident_id", "text_kind", "ref_id", name=op.f("pk_incident_members")),
        comment="Which mentions and sessions make an incident",
    )
    with op.batch_alter_table("incident_members", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_incident_members_text_kind"), ["text_kind", "ref_id"], unique=False
        )

    op.create_table(
        "revisions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mention_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("text_sha", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False, comment="masked of personal data"),
        sa.Column("seen_at", UtcTime(), nullable=False),
        sa.Column("page_sha", sa.String(length=64), nullable=True, comment="evidence it was read from"),
        sa.ForeignKeyConstraint(
            ["mention_id"], ["mentions.id"], name=op.f("fk_revisions_mention_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revisions")),
        sa.UniqueConstraint("mention_id", "text_sha", name=op.f("uq_revisions_mention_id")),
        comment="Each different text that a mention had",
    )
    op.create_table(
        "turns",
        sa.Column("session_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False, comment="customer, agent, system"),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_turns_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_id", "seq", name=op.f("pk_turns")),
        comment="Utterances of a session, masked",
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("turns")
    op.drop_table("revisions")
    with op.batch_alter_table("incident_members", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_incident_members_text_kind"))

    op.drop_table("incident_members")
    op.drop_table("incident_days")
    op.drop_table("visits")
    op.drop_table("source_state")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sessions_started_at"))
        batch_op.drop_index(batch_op.f("ix_sessions_run_id"))

    op.drop_table("sessions")
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_runs_kind"))

    op.drop_table("runs")
    with op.batch_alter_table("pages", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_pages_sha256"))
        batch_op.drop_index(batch_op.f("ix_pages_run_id"))

    op.drop_table("pages")
    with op.batch_alter_table("mentions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mentions_source"))
        batch_op.drop_index(batch_op.f("ix_mentions_published_at"))
        batch_op.drop_index(batch_op.f("ix_mentions_author_key"))

    op.drop_table("mentions")
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_incidents_last_day"))

    op.drop_table("incidents")
    with op.batch_alter_table("hits", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hits_watch"))

    op.drop_table("hits")
    op.drop_table("digests")
    op.drop_table("deliveries")
    op.drop_table("assessments")
    op.drop_table("alerts")
