"""Training of the shipped models, and of models on a team's own texts."""
