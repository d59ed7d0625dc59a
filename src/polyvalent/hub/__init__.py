"""Answer one call to one instance: the data plane."""
