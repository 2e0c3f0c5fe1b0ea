"""The platform: how the product is installed, started, stopped and backed up."""
