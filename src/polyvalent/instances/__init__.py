"""
Connect merchants' accounts: authorize, provision, find, change, disable, remove instances.

One module a verb; `ports` names what they need from the outside, `model` what they hand around.
"""
