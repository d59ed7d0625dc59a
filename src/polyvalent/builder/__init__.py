"""
Keep the elements that accounts bring along, and what they add to those they share.

`Shelf.find` is the one place where elements are looked up, packaged or brought along. A body is
read by `read`, judged by `judge`, completed by `complete`; `edit` changes parts of an element,
`extend` lays an account's additions over an element of others: all of that is pure. `change` is
where it is stored.
"""
