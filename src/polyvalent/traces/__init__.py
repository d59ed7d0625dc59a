"""
Keep what was said between us and a vendor, for whoever asked to see it, with secrets left out.

`redact` is pure; `record` and `read` keep and show.
"""
