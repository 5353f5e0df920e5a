"""One way to ask: what the console, the command line, the API and every export count and list (see ask.py)."""
