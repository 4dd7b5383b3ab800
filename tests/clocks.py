"""A clock for tests: it moves only when somebody waits or a test moves it."""

from oauth_web.demo.sandbox.clock import VirtualClock
from worker.errors import StoppedError

START = VirtualClock().now()


class FakeClock(VirtualClock):
    """The sandbox's clock, which the program can share, and stop."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped = False

    def pause(self, seconds: float) -> None:
        if self.stopped:
            raise StoppedError("The program is stopping.")
        super().pause(seconds)

    def stop(self) -> None:
        self.stopped = True
