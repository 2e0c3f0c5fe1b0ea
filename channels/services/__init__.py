"""What Deploy can do: channels and their routes, batches, what answered when, what a caller would get."""
