"""Evaluation suites, their runs, the judge and what the gate asks: the services of /evaluations/."""
