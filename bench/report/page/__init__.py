"""The page: its template, style sheet and script, and what fills them."""
