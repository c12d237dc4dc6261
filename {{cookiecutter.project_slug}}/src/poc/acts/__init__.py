"""What people do around a run: launch it, look at it, serve its result."""
