"""
Hold one module for each step; a released step is never edited.

A step names its tables itself and imports nothing of `schema`, which moves on without it.
"""
