"""The product's settings, with a slow page and, when TELFLO_BENCH_PROFILE names a file, a sampler."""

import os

from benchmarks.scale import sampler
from telflo.settings import *  # noqa: F403 - these are the settings

ROOT_URLCONF = "benchmarks.scale.slow_page"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405 - from the product's settings

if profile := os.environ.get("TELFLO_BENCH_PROFILE"):
    sampler.start(profile)
