"""No example fails by the clock: a machine with much else to do is no fault of the code."""

from hypothesis import settings

settings.register_profile("no clock", deadline=None)
settings.load_profile("no clock")
