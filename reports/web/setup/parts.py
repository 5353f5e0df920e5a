"""The modules of the first run whose `router` belongs to the console."""

from reports.web.setup import first, run, steps

PARTS = (first, steps, run)
