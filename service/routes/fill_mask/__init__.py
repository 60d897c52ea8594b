"""`POST /fill-mask`: the native interface.

Lives here: the route, and its wire models: what is sent, and what is answered. Knows the requests
and answers of tasks. Does not know how these are scored.
"""

from service.routes.fill_mask.call import DEFAULT_TOP_K
from service.routes.fill_mask.route import router

__all__ = ["DEFAULT_TOP_K", "router"]
