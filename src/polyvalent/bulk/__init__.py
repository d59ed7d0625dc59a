"""
Read and write many rows of a store in one job.

`ask` reads what is wanted and `plan` how the store is asked for it; `download` is the turn that
reads, from checkpoint to checkpoint; `part` keeps rows in sealed files that are never changed;
`receipt` says what is proven about them; `render` writes them in the format that is fetched.
"""
