"""The API of Deploy, added to the one API of the product."""
