"""
Keep what callers' objects look like and where their fields lie in each vendor's.

Definitions and transformations stand at three levels, organization, account and instance, above
those that the platform brings along (level "system"). One module a verb; `resolve` says which
transformation is in force for an instance, and compiles it.
"""
