"""The modules of access whose `router` belongs to the console."""

from reports.web.access import account, log_page, login, oidc, users_page

PARTS = (login, oidc, account, users_page, log_page)
