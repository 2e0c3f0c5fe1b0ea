"""Django's settings, from the environment and secure without any (the table is in docs/operations.md). What this
installation talks to outside stands in `config.outside`."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from config.data_folder import PROJECT, data_folder, read_or_create_private
from config.database_url import parse_database_url
from config.embedded_credentials import APP, OWNER, load_credentials
from config.environment import flag, words
from config.outside import *  # noqa: F403 settings, each under its own name

BASE_DIR = PROJECT


# Who we are on the network
PORT = int(os.environ.get("PORT") or 8000)
PUBLIC_URL = os.environ.get("PUBLIC_URL") or f"http://127.0.0.1:{PORT}"
IS_HTTPS = PUBLIC_URL.startswith("https://")
PUBLIC_HOST = urlsplit(PUBLIC_URL).hostname or "127.0.0.1"

DEBUG = flag("DEBUG")
SECRET_KEY = os.environ.get("SECRET_KEY") or read_or_create_private(data_folder() / "secret_key", get_random_secret_key)
ALLOWED_HOSTS = list(dict.fromkeys([PUBLIC_HOST, "127.0.0.1", "localhost", "[::1]", *words("ALLOWED_HOSTS")]))
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if IS_HTTPS else []

INSTALLED_APPS = [
    # Before the apps, which register their tasks with it.
    "procrastinate.contrib.django",
    "agentversions",
    "channels",
    "monitoring",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "simple_history",
    "pgtrigger",
    "django_htmx",
    "csp",
    "ninja",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.origin.request_origin",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.reader.reader_time_zone",
    "simple_history.middleware.HistoryRequestMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Database: the application's role for the application, the owner's only for commands that change the schema.
DB_ROLE_IS_OWNER = os.environ.get("AGENT_VERSIONS_DB_ROLE") == "owner"
USES_EMBEDDED_POSTGRES = not os.environ.get("DATABASE_URL")
# The address the application runs with, also while the owner migrates: apply_privileges reads the role's name from it.
DATABASE_APP_URL = os.environ.get("DATABASE_URL") or load_credentials().url(APP)
DATABASE_OWNER_URL = os.environ.get("DATABASE_OWNER_URL") or (
    load_credentials().url(OWNER) if USES_EMBEDDED_POSTGRES else DATABASE_APP_URL
)
_address = parse_database_url(DATABASE_OWNER_URL if DB_ROLE_IS_OWNER else DATABASE_APP_URL)
_options: dict[str, Any] = {"connect_timeout": 3, "application_name": "agent-versions", **_address["OPTIONS"]}
if not DB_ROLE_IS_OWNER:
    # One process serves a few threads; a request waits at most this long for a connection before it says so.
    _options["pool"] = {
        "min_size": 1,
        "max_size": int(os.environ.get("DB_POOL_SIZE") or 8),
        "timeout": float(os.environ.get("DB_POOL_TIMEOUT") or 2.5),
        "max_idle": 300,
        "reconnect_timeout": 5,
    }
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **_address,
        "ENGINE": "django.db.backends.postgresql",
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": _options,
    }
}

# The runtime that answers calls: its memory per worker, its last-known-good store, where national numbers are read.
RUNTIME_MEMORY = int(os.environ.get("RUNTIME_MEMORY_MB") or 256) * 1024 * 1024
RUNTIME_STORE = Path(os.environ.get("RUNTIME_STORE") or data_folder() / "last_known_good.sqlite3")
ROUTED_SPOOL = Path(os.environ.get("ROUTED_SPOOL") or data_folder() / "routed_spool")
ROUTED_SPOOL_LIMIT = int(os.environ.get("ROUTED_SPOOL_MB") or 256) * 1024 * 1024
FLAGS_PER_SECOND = float(os.environ.get("FLAGS_PER_SECOND") or 200)
FLAG_ORIGINS = frozenset(words("FLAG_ORIGINS"))
# /metrics without a token: for a network in which only Prometheus reaches this address.
METRICS_ARE_OPEN = flag("METRICS_OPEN")
PHONE_REGION = os.environ.get("PHONE_REGION", "").strip().upper() or None

# Work at a later time (config.background): looked for every second, so that a planned change is punctual.
PROCRASTINATE_IMPORT_PATHS = ["config.background"]
# Several tasks at once: a long one (a spool taken in; evaluation runs, two at most) delays neither a planned change nor
# the seals of the audit log.
PROCRASTINATE_WORKER_DEFAULTS = {"fetch_job_polling_interval": 1, "shutdown_graceful_timeout": 20, "concurrency": 4}

# Callers of calls are encrypted and hashed with a secret that no backup of the database holds.
CALLER_SECRET = os.environ.get("CALLER_SECRET") or read_or_create_private(
    data_folder() / "caller_secret", get_random_secret_key
)

# How many days transcripts and recordings are kept after the end of their month; the database refuses less than a week.
CALL_CONTENT_DAYS = int(os.environ.get("CALL_CONTENT_DAYS") or 90)
if CALL_CONTENT_DAYS < 7:
    raise ImproperlyConfigured("CALL_CONTENT_DAYS is less than 7. Set the days for which transcripts are kept.")

# Call records: where they wait while the database is away.
CALL_SPOOL = Path(os.environ.get("CALL_SPOOL") or data_folder() / "call_spool")
CALL_SPOOL_LIMIT = int(os.environ.get("CALL_SPOOL_MB") or 1024) * 1024 * 1024

# A call that was routed and whose end did not come within these minutes is missing: the judge of rollouts counts that.
LONGEST_CALL_MINUTES = float(os.environ.get("LONGEST_CALL_MINUTES") or 60)
CALL_GRACE_MINUTES = float(os.environ.get("CALL_GRACE_MINUTES") or 10)

# Time and language: stored in UTC, shown in the reader's zone by the page.
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
USE_I18N = False

# Static files: hashed names, compressed once, cached for ever.
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.static_storage.HashedModuleStorage"},
}
# Maps and fonts are not worth the time: no reader loads the first, the second are compressed.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ["map", "png", "jpg", "gif", "webp", "gz", "br", "zip", "woff", "woff2"]
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024

# Sign-in: every page asks for it unless its view says otherwise.
AUTH_USER_MODEL = "agentversions.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
CSRF_FAILURE_VIEW = "agentversions.views.errors.csrf_failure"

EMAIL_HOST = os.environ.get("EMAIL_HOST", "")
EMAIL_PORT = int(os.environ.get("EMAIL_PORT") or 587)
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = flag("EMAIL_USE_TLS", default=True)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL") or f"agent-versions@{PUBLIC_HOST}"
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend" if EMAIL_HOST else "django.core.mail.backends.dummy.EmailBackend"
)

ACCOUNT_ADAPTER = "agentversions.adapters.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "agentversions.adapters.SocialAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if EMAIL_HOST else "none"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if IS_HTTPS else "http"
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Agent Versions: "
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Agent Versions"
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {}
if os.environ.get("OIDC_SERVER_URL"):
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "sso",
                "name": os.environ.get("OIDC_NAME") or "Single sign-on",
                "client_id": os.environ.get("OIDC_CLIENT_ID", ""),
                "secret": os.environ.get("OIDC_CLIENT_SECRET", ""),
                "settings": {"server_url": os.environ["OIDC_SERVER_URL"]},
            }
        ],
    }

# The browser's side: nothing loads, runs or frames that we did not ship.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if IS_HTTPS else 0
TRUST_PROXY = flag("TRUST_PROXY")
if TRUST_PROXY:
    # Only behind a proxy that always sets this header itself; otherwise a client could claim HTTPS.
    SECURE_SSL_REDIRECT = IS_HTTPS
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LOG_LEVEL = os.environ.get("LOG_LEVEL", "INFO").upper()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "config.json_logs.JsonFormatter"}},
    "handlers": {"stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json"}},
    "root": {"handlers": ["stdout"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": ["stdout"], "level": LOG_LEVEL, "propagate": False},
        "procrastinate": {"handlers": ["stdout"], "level": "WARNING", "propagate": False},
        "httpx2": {"handlers": ["stdout"], "level": "WARNING", "propagate": False},
        "django.server": {"handlers": ["stdout"], "level": "WARNING", "propagate": False},
    },
}

# The folder of real agent configurations that tests and benches read; they skip, and say so, where it is absent.
CORPUS = os.environ.get("CORPUS") or str(BASE_DIR.parent / "shared" / "data")
