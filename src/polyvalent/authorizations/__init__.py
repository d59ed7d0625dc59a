"""
Keep the authorizations that merchants were asked for: temporary credentials, for an hour.

`keep`, `find` and `use` are the life of one; what is asked of a store lies in `instances`.
"""
