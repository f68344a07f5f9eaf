"""How fast the service is, beside the least that its framework does and beside other ways to serve the same model."""
