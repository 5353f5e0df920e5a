"""The judgement of a day."""
