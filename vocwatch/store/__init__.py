"""The one place that writes SQL. Stages meet here and nowhere else."""

from sqlalchemy import Connection

from vocwatch.store.engine import StorageError, Store, open_store

__all__ = ["Connection", "StorageError", "Store", "open_store"]
