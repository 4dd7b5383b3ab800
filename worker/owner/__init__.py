"""Data of the owner: Gmail accounts with encrypted permissions, API tokens, preferences."""
