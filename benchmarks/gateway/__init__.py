"""Measure the gateway beside nginx, a bare proxy and the build that most people would write."""
