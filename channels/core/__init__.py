"""Plain Python: routes as values, buckets, the choice for one caller. No Django, no database, no clock."""
