"""What the owner has connected and chosen: Gmail accounts with their sealed sign-ins, API tokens, preferences."""
