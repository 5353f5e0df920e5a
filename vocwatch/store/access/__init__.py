"""Who may use the console: people, their logins and tokens, failed attempts, and the log of what they did."""
