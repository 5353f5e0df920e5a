"""The one place that writes SQL. Stages meet here and nowhere else."""

from sqlalchemy import Connection

from vocwatch.exits import StorageError
from vocwatch.store.engine import Store, open_store

__all__ = ["Connection", "StorageError", "Store", "open_store"]
