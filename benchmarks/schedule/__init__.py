"""What the schedule holds to, measured: `python -m benchmarks.schedule days|redline|slots`."""
