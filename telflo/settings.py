"""Settings: flat, fed by the environment alone (docs/interfaces.md lists the variables)."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import django_stubs_ext
from csp.constants import NONE, SELF

from telflo import __version__, env
from telflo.databases import database_from_url
from telflo.mail import SCHEMES, mail_server
from telflo.opamp_settings import *  # noqa: F403 - the part of them that collectors are bound by
from telflo.secrets_store import encryption_keys, secret_key

# Makes Django's generic classes subscriptable at run time, as the type checker sees them.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent

# ── Where and how it runs ──
DATA_DIR = env.data_folder()
HOST = env.text("HOST", "127.0.0.1")
PORT = env.integer("PORT", 8000, least=0, most=65535)
BASE_URL = env.origin("TELFLO_BASE_URL")
OPAMP_URL = env.url("TELFLO_OPAMP_URL", schemes=("ws", "wss", "http", "https"))
ARTIFACTS_URL = env.url("TELFLO_ARTIFACTS_URL")
CA_FILE = env.file("TELFLO_CA_FILE")
REDIS_URL = env.secret_url("REDIS_URL", schemes=("redis", "rediss", "unix"))
LOG_LEVEL = env.choice("TELFLO_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOG_FORMAT = env.choice("TELFLO_LOG_FORMAT", "text", ("text", "json"))
EMAIL_URL = env.secret_url("TELFLO_EMAIL_URL", schemes=SCHEMES)
# Networks of the inside that webhooks may go to all the same.
WEBHOOK_ALLOW = env.networks("TELFLO_WEBHOOK_ALLOW")
METRICS_TOKEN = env.secret("TELFLO_METRICS_TOKEN")
TELFLO_VERSION = __version__
DEBUG = env.boolean("TELFLO_DEBUG")
IS_SECURE = BASE_URL.startswith("https://")

SECRET_KEY = secret_key(DATA_DIR)
ENCRYPTION_KEYS = encryption_keys(DATA_DIR)

_base_host = urlsplit(BASE_URL).hostname
ALLOWED_HOSTS = env.words("TELFLO_ALLOWED_HOSTS") or [
    *({_base_host} if _base_host else set()),
    "localhost",
    "127.0.0.1",
    "[::1]",
    *({HOST} - {"0.0.0.0", "::"}),  # noqa: S104 - a bind address is no host name
]

# ── Applications ──
INSTALLED_APPS = [
    "daphne",
    "telflo.admin_site.TelfloAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "channels",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_vite",
    "django_htmx",
    "django_cotton",
    "lucide",
    "csp",
    "axes",
    "telflo.base",
    "telflo.ui",
    "notices",
    "configs",
    "agents",
    "fleets",
    "opamp",
    "telflo.home",
    "telflo.serve",
    "telflo.system",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "telflo.base.parameters.ReadableAddress",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "telflo.urls"
ASGI_APPLICATION = "telflo.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "telflo.ui.context.shell",
            ],
            "builtins": ["telflo.ui.templatetags.ui"],
        },
    }
]
COTTON_DIR = "cotton"

# ── Data ──
DATABASES = {"default": database_from_url(env.secret("DATABASE_URL"), data=DATA_DIR)}
DATABASE_ANSWER_S = env.integer("TELFLO_DATABASE_ANSWER_S", 30, least=1)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        # A Redis that hangs must not hold up the threads that let agents in.
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # socket_timeout None: the layer's blocking read is longer than redis-py's default timeout.
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None}], "capacity": 2000},
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}

# ── E-mail ──
EMAIL_IS_ON = bool(EMAIL_URL)
EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD, EMAIL_USE_TLS, EMAIL_USE_SSL = (
    mail_server(EMAIL_URL)
)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("TELFLO_EMAIL_FROM") or f"Telflo <telflo@{_base_host or 'localhost'}>"

# ── People, sessions, sign-in ──
AUTH_USER_MODEL = "base.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "login"
# Browsers send cookies to every port of a host: beside `make run`, `make demo` would sign people out.
SESSION_COOKIE_NAME = "sessionid" if BASE_URL else f"sessionid_{PORT}"
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_SECURE
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "telflo.base.views.refused.form_refused"
CSRF_TRUSTED_ORIGINS = [BASE_URL] if BASE_URL else []
# Wrong tries for a name from an address, and from an address alone (telflo/base/sign_in.py).
AXES_HANDLER = "telflo.base.sign_in.TwoLimits"
AXES_FAILURE_LIMIT = 5
ADDRESS_FAILURE_LIMIT = 30
AXES_COOLOFF_TIME = timedelta(minutes=5)
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_CALLABLE = "telflo.base.sign_in.locked"
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False

# ── Headers ──
# Redirects are the proxy's task: a supervisor that meets one keeps the new address for good.
SECURE_SSL_REDIRECT = False
SILENCED_SYSTEM_CHECKS = ["security.W008"]
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if IS_SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_SECURE else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}

# ── Files ──
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
DJANGO_VITE = {
    "default": {
        "dev_mode": env.boolean("TELFLO_VITE_DEV"),
        "manifest_path": BASE_DIR / "static" / "dist" / "manifest.json",
        "static_url_prefix": "dist",
    }
}
# A pasted text of 20 MB reaches its form, which says what is wrong with it.
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024

# ── API ──
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "telflo.base.api.authentication.ApiTokenAuthentication",
        "telflo.base.api.authentication.BrowserSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["telflo.base.api.permissions.MayCall"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["telflo.base.api.parsing.BoundedJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "telflo.base.api.pagination.CursorPages",
    "DEFAULT_FILTER_BACKENDS": ["telflo.base.api.filters.StrictFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "telflo.base.api.schema.TelfloAutoSchema",
    "EXCEPTION_HANDLER": "telflo.base.api.problems.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "PAGE_SIZE": 50,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Telflo API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["telflo.base.api.permissions.MayCall"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "ArrivalMode": "fleets.models.ArrivalMode",
        "VersionState": "configs.models.VersionState",
        "RolloutState": "fleets.models.RolloutState",
        "ReportStatus": ["UNSET", "APPLIED", "APPLYING", "FAILED"],
        "TokenKind": "fleets.models.TokenKind",
        "NoticeState": "notices.api_shapes.STATES",
        "DeliveryState": "notices.models.DeliveryState",
        "TokenState": ["active", "expires_soon", "expired", "retired", "revoked"],
    },
}

# ── Tasks ──
CELERY_BROKER_URL = REDIS_URL or "memory://localhost/"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_DEFAULT_QUEUE = "telflo"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# However long Redis is away: nobody may be there to start a worker again that gave up.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
# The in-memory transport looks for tasks every second unless told otherwise.
# A Redis that hangs must not hold up what sends a task for ever: the sweeps find what was not sent.
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"socket_timeout": 15, "socket_connect_timeout": 5} if REDIS_URL else {"polling_interval": 0.05}
)
# A sweep that was not run in time is not worth running: the next one does its work.
_NOT_LATE = {"options": {"expires": 5.0}}
CELERY_BEAT_SCHEDULE = {
    "sweep-statuses": {"task": "agents.tasks.sweep_statuses", "schedule": 5.0, **_NOT_LATE},
    "sweep-rollouts": {"task": "fleets.tasks.sweep_rollouts", "schedule": 5.0, **_NOT_LATE},
    "compare-running": {"task": "fleets.tasks.compare_running", "schedule": 5.0, **_NOT_LATE},
    "sweep-tokens": {"task": "fleets.tasks.sweep_tokens", "schedule": 15.0, **_NOT_LATE},
    "watch-fleets": {"task": "fleets.tasks.watch_fleets", "schedule": 15.0, **_NOT_LATE},
    "deliver-notices": {"task": "notices.tasks.deliver_notices", "schedule": 5.0, **_NOT_LATE},
    "prune": {"task": "telflo.tasks.prune", "schedule": 3600.0},
}

# ── How long things are kept and waited for ──
STALE_AFTER = timedelta(hours=env.integer("TELFLO_STALE_AFTER_HOURS", 24, least=1))
FORGET_AFTER = timedelta(days=env.integer("TELFLO_FORGET_AFTER_DAYS", 90, least=0))
KEEP_AGENT_EVENTS = timedelta(days=env.integer("TELFLO_KEEP_EVENTS_DAYS", 30, least=1))
KEEP_REFUSED_ATTEMPTS = timedelta(days=30)
KEEP_ACTIVITY = timedelta(days=env.integer("TELFLO_KEEP_ACTIVITY_DAYS", 90, least=1))
KEEP_ATTEMPTS = timedelta(days=90)
KEEP_NOTICES = timedelta(days=30)
APPLY_TIMEOUT = timedelta(seconds=env.integer("TELFLO_APPLY_TIMEOUT_S", 180, least=10))

# ── Language, time, logs ──
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
USE_THOUSAND_SEPARATOR = False
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {
            "()": "telflo.base.logs.TextFormatter",
            "fmt": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        },
        "json": {"()": "telflo.base.logs.JsonFormatter"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "filters": {
        "refused_handshakes": {"()": "telflo.base.logs.RefusedHandshakes"},
        "tasks_without_database": {"()": "telflo.base.outage.TasksWithoutDatabase"},
    },
    "loggers": {
        "uvicorn.error": {"filters": ["refused_handshakes"]},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        # Answers of 4xx are not the server's trouble.
        "django.request": {"level": "ERROR"},
        # It says each time that the collector of traces is away; a span more or less is no matter.
        "opentelemetry": {"level": "ERROR"},
        "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "axes": {"level": "ERROR"},
        "celery": {"level": "WARNING"},
        "celery.app.trace": {"filters": ["tasks_without_database"]},
    },
}
