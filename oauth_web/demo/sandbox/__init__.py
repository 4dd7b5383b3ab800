"""A stand-in for Google on loopback, for the demo and the tests.

Promises: the part of OAuth and of the Gmail API that the program uses, as strict as the real one:
quota prices and refusals, requests in flight, paging, filters at delivery, search, errors in Google's
words. Where Google's behaviour is not known, the module that chose says so and took the stricter way.
It keeps nothing on disk. It imports nothing of the program, and the program reaches it over HTTP, like Google.

Start reading at ``sandbox.py`` (the object, and which request goes where), then ``handles.py`` (what tests may
do to it) and ``gmail/api.py``.
``mailbox.py`` holds the state, ``search.py`` the search language, ``oauth.py`` and ``grants.py``
sign-in, ``quota.py`` the speed limits, ``faults.py`` what can go wrong on purpose, ``control.py``
the same handles over HTTP.
"""

from oauth_web.demo.sandbox.clock import Clock, RealClock, VirtualClock
from oauth_web.demo.sandbox.faults import Fault, FaultHook, FaultPlan
from oauth_web.demo.sandbox.quota import Call
from oauth_web.demo.sandbox.sandbox import Sandbox
from oauth_web.demo.sandbox.users import User

__all__ = ["Call", "Clock", "Fault", "FaultHook", "FaultPlan", "RealClock", "Sandbox", "User", "VirtualClock"]
