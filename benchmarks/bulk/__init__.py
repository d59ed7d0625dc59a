"""Compare how bulk downloads and others read many rows of one fast upstream."""
