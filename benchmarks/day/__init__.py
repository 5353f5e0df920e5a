"""How long the judgement of a day takes, and how it grows."""
