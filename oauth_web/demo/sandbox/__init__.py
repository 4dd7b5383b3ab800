"""A stand-in for Google on loopback, for the demo and the tests.

Promises: the parts of OAuth and of the Gmail API that the program uses, as strict as the real ones: quota prices and
refusals, requests in flight, paging, filters at delivery, search, Google's error messages. If Google's behaviour is
unknown, the module says so and chooses the stricter behaviour. It stores nothing on disk. It imports nothing of the
program; the program uses it over HTTP, like Google.

Start reading at ``sandbox.py`` (the object, and its routes), then ``handles.py`` (the methods for tests) and
``gmail/api.py``. ``mailbox.py`` has the state, ``search.py`` the search language, ``oauth.py`` and ``grants.py`` the
sign-in, ``quota.py`` the quota, ``faults.py`` faults on purpose, ``control.py`` the methods for tests over HTTP.
"""

from oauth_web.demo.sandbox.clock import Clock, RealClock, VirtualClock
from oauth_web.demo.sandbox.faults import Fault, FaultHook, FaultPlan
from oauth_web.demo.sandbox.quota import Call
from oauth_web.demo.sandbox.sandbox import Sandbox
from oauth_web.demo.sandbox.users import User

__all__ = ["Call", "Clock", "Fault", "FaultHook", "FaultPlan", "RealClock", "Sandbox", "User", "VirtualClock"]
