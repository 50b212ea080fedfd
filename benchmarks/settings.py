"""The product's settings; tasks are not run, and nothing is sent anywhere."""

from telflo.settings import *  # noqa: F403 - these are the settings

STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405 - from the product's settings
CELERY_BROKER_URL = "memory://localhost/"
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
