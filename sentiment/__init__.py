"""The judgement of one text."""
