"""From data and options to trained parameters."""
