"""The digest: one frozen structure, many renderings."""
