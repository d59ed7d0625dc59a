"""
Know who calls: organizations, their accounts, the users in those, and everybody's secrets.

`identify` turns an Authorization header into a caller, `bootstrap` makes the first ones,
`reveal` shows their secrets to the operator.
"""
