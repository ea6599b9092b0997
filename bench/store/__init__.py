"""Results on disk: cells, stages, several suites merged, and the table of results."""
