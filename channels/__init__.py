"""Deploy: phone numbers and chat channels, their routes, and the runtime that answers every call."""
