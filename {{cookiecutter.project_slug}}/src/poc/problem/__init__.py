"""The Python that is yours: where rows come from, what a model sees, which models are tried."""
