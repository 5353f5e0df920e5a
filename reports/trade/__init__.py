"""The measures of the trade: satisfaction, rates over a window, before and after, share of voice, cases to learn from."""
