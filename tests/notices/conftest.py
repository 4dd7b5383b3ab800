"""How long the generated tests run: a fixed budget here, as long as wanted by flag.

``pytest tests/notices --hypothesis-profile=long`` tries some two hundred times as many mails, other ones each time.
"""

from hypothesis import HealthCheck, settings

_RELAXED = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile(
    "notices", derandomize=True, deadline=None, max_examples=120, suppress_health_check=_RELAXED
)
settings.register_profile("long", deadline=None, max_examples=25_000, suppress_health_check=_RELAXED)
settings.load_profile("notices")
