"""Questions over what is judged: one form of asking, one set of conditions, for every place that shows a number."""
