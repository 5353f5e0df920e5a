"""Measures of the judgement of one text."""
