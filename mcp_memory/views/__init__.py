"""The read side: what answers are made from, kept in memory and current. Copies of the store; losing them costs the time to read again.

`Views` owns them all and is the only way to them: `with views.read() as v:`.
"""
