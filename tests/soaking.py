"""How much the property tests try: as much as usual in `make test`, many times that in `make soak`."""

import os

from hypothesis import settings

USUAL = 100
TIMES = {"default": 1, "soak": 20}
"""Per profile, what is multiplied. HYPOTHESIS_PROFILE names the profile."""


def load_profile() -> None:
    """Register the profiles and load the one that the environment names. A busy machine breaks no deadline."""
    for name, times in TIMES.items():
        settings.register_profile(name, max_examples=USUAL * times, deadline=None)
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def examples(usual: int) -> int:
    """How many examples a test tries that tries `usual` ones in `make test`."""
    return usual * settings().max_examples // USUAL
