"""What each stage of the chain adds on held-out songs."""
