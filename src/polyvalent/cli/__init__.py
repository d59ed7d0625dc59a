"""What a person at a terminal sees: commands, their words and their exit status."""

from polyvalent.cli.main import main

__all__ = ["main"]
