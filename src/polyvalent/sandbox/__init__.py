"""
Simulated vendors, to develop and test against without a real account.

A simulator shares no code with the platform: it imports nothing of ours, and nothing of ours but
the command line imports it. What both sides agree on is only the wire.
"""
