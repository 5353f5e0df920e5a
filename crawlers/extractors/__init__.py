"""Pure extraction: a page in, mention records out."""
