"""Reading datasets from folders and from the Hub, with their checks."""
