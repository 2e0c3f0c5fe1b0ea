"""The Monitor part of the product: calls, figures by version."""
