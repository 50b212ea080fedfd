"""The product's settings with a scratch data folder and cheap passwords."""

import os
import tempfile

os.environ.setdefault("TELFLO_DATA", tempfile.mkdtemp(prefix="telflo-test-"))
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) + 1
if os.environ.get("REDIS_URL"):
    # Each test process has a Redis database of its own, since tests empty the cache.
    os.environ["REDIS_URL"] = f"{os.environ['REDIS_URL'].rpartition('/')[0]}/{_worker}"

from telflo.settings import *  # noqa: F403, E402 - the environment must be set before

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # A file, as in life: threads of an in-memory database cannot wait for each other's locks.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}  # noqa: F405
# Each test client is a server of its own: two hundred files would be looked up for each, to be served by none.
WHITENOISE_AUTOREFRESH = True
# WhiteNoise warns about a missing folder, and warnings are errors here.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405 - from the product's settings
