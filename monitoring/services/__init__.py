"""What Monitor does: taking calls in, finding them, adding them up."""
