"""The page: its template, style sheet and script, and what fills them."""

PAGE = "index.html"
"""Its file, in the folder of the report."""
SUMMARY = "summary.json"
"""The verdict and the leaderboard, beside it."""
