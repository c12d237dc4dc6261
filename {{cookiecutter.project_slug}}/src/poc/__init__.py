"""A proof of concept that is production-shaped on day one: charter, run, verdict, signature."""
