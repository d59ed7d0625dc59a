"""
Tell others what happened: notifications, who subscribed to them, and their delivery.

`publish` puts a notification and its deliveries on their way in the caller's transaction; the job
`deliver` of each subscription sends them, in order for each object, until they have arrived.
"""
