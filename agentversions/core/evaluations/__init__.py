"""Evaluations as values: cases and what they expect, scores, comparisons of runs, the judge. Plain Python."""
