"""The first run: from the one-time link that `vocwatch serve` prints to the first digest."""
