"""Kills of the sender, and how fast a red line is told."""
