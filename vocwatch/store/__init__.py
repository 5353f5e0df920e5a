"""The one place that writes SQL. Stages meet here and nowhere else."""

from vocwatch.store.engine import StorageError, Store, open_store

__all__ = ["StorageError", "Store", "open_store"]
