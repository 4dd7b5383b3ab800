"""What the page says: its sentences in English, their translations, and dates, times and numbers in words."""
