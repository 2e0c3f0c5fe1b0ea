"""What can be done: verbs with keyword-only arguments, each in its own transaction with its history and audit entry."""
