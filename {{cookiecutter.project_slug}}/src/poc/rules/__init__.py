"""What decides: pure functions of charter and evidence; no files, clock, network or hidden randomness."""
