"""Polarity engines behind one interface."""
