"""Plain Python: what a call record is, how records of one call are merged, how figures are counted."""
