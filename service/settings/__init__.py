"""Every setting, read from the environment in this one place.

Lives here: the settings, and how their values are written. Knows which engines there are. Does not
know what is made of a setting.
"""

from service.settings.settings import Settings

__all__ = ["Settings"]
