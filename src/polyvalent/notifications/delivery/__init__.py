"""Bring notifications to those who subscribed, and note what came of it."""
