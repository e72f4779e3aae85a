"""Strange input at every edge: no exception that is not ours, no hang, and what was acknowledged stays.

In CI a short form (`test_fuzz.py`); `python -m tests.fuzz TARGET --minutes 60` runs one as long as wanted.
"""
