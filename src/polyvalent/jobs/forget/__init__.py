"""Forget jobs that ended long ago."""
