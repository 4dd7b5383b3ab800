"""The texts of the page: English sentences, translations, and formatted dates, times and numbers."""
