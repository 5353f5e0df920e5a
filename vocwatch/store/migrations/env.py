"""Alembic's entry: always runs over the engine that the store hands in."""

from __future__ import annotations

from alembic import context

from vocwatch.store import schema  # noqa: F401 - the tables
from vocwatch.store.columns import metadata


def run() -> None:
    """Run the migrations, all in one transaction: a killed migration leaves the old schema."""
    engine = context.config.attributes["engine"]
    with engine.connect() as connection:
        context.configure(
            connection=connection, target_metadata=metadata, render_as_batch=True, transaction_per_migration=False
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
