"""
Do work that outlives a request: on whichever worker is free, once at a time, to the end.

A job is a row of ours; `submit` adds one in the caller's transaction. Waiting is a row with a time,
not a sleep. `work` makes a process a worker: one of them leads (`lead`) and hands jobs that are due
to the engine (`engine`, DBOS Transact), which queues them and lets one worker `run` a turn of each.
What a turn has saved is done for good; a worker that dies loses what lies after it, and one that
was only slow cannot save any more once another has taken over.
"""
