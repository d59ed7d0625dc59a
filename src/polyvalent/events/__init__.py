"""
Notice what changes at vendors, keep it in order, and hand it on.

Changes come by asking (`poll`) or by calls of the vendor (`inbound`). Each is kept as a row of an
ordered feed; what is handed on together is an event record. Both, the notices made of them and the
place that a poll has reached are one transaction, so that a crash loses and doubles nothing.
"""
