"""How the product is installed, configured, started, stopped and backed up."""
