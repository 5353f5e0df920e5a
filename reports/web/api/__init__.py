"""`/api/v1`: what the console shows, as JSON, for programs with a token and for scripts of its own pages."""
