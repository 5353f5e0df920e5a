"""The standing work: what is due, done once by whichever scheduler takes it, at its time.

APScheduler is only the clock that calls `Engine.tick`; due work and leases live in the database.
"""

from vocwatch.schedule.engine import Engine
from vocwatch.schedule.serve import serve_schedule

__all__ = ["Engine", "serve_schedule"]
