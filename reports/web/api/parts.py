"""The modules of the API whose `router` belongs to the console."""

from reports.web.api import actions, published, queries

PARTS = (queries, actions, published)
