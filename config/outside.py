"""Settings of what this installation talks to outside, and their secrets, from the environment."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from config.data_folder import data_folder
from config.environment import words
from config.llm_endpoints import read_llm_endpoints

# Twilio's voice webhook at /twilio/voice: the account's auth token, and where the media stream goes (wss://…).
TWILIO_AUTH_TOKEN = os.environ.get("TWILIO_AUTH_TOKEN", "")
TWILIO_STREAM_URL = os.environ.get("TWILIO_STREAM_URL", "")

# The secrets of platforms that post call records (one or more each, separated by commas, so that one can be changed
# without losing a call).
CALL_WEBHOOK_SECRETS = {
    "vapi": words("VAPI_WEBHOOK_SECRET"),
    "retell": words("RETELL_WEBHOOK_KEY"),
    "elevenlabs": words("ELEVENLABS_WEBHOOK_SECRET"),
    "twilio": [TWILIO_AUTH_TOKEN] if TWILIO_AUTH_TOKEN else [],
}

# The git repository that versions come from: the copy that is kept of it (it can be deleted at any time), how long one
# git command may take, how large one transfer may be, and the secrets, which are never in the database. The webhook may
# have several secrets, separated by commas, while one is changed. Files: an SSH key, known hosts, a company's own CA.
GIT_SYNC_FOLDER = Path(os.environ.get("GIT_SYNC_FOLDER") or data_folder() / "git_sync")
GIT_SYNC_TIMEOUT = float(os.environ.get("GIT_SYNC_TIMEOUT") or 120)
GIT_SYNC_LIMIT = int(os.environ.get("GIT_SYNC_MB") or 1024) * 1024 * 1024
GIT_SYNC_WEBHOOK_SECRETS = words("GIT_SYNC_WEBHOOK_SECRET")
GIT_SYNC_TOKEN = os.environ.get("GIT_SYNC_TOKEN", "")
GIT_SYNC_TOKEN_USER = os.environ.get("GIT_SYNC_TOKEN_USER") or "x-access-token"
GIT_SYNC_SSH_KEY = os.environ.get("GIT_SYNC_SSH_KEY", "")
GIT_SYNC_KNOWN_HOSTS = os.environ.get("GIT_SYNC_KNOWN_HOSTS", "")
GIT_SYNC_CA = os.environ.get("GIT_SYNC_CA", "")

# A Prometheus server whose figures judge the rollouts that say so; $agent and $version are filled in in the selectors.
PROMETHEUS_URL = os.environ.get("PROMETHEUS_URL", "")
PROMETHEUS_TIMEOUT_S = float(os.environ.get("PROMETHEUS_TIMEOUT_S") or 10)
_of_version = '{agent="$agent",version="$version"}'
PROMETHEUS_ERROR_RATE = os.environ.get("PROMETHEUS_ERROR_RATE") or f"agent_error_rate{_of_version}"
PROMETHEUS_CALLS = os.environ.get("PROMETHEUS_CALLS") or f"agent_calls_total{_of_version}"

# Where language models answer in evaluations and Try it, by environment and provider (any OpenAI-compatible address).
LLM_ENDPOINTS = read_llm_endpoints(os.environ)

# Every move of a rollout is told by mail to who started it and to these, and posted to this address, signed with each
# secret (old and new with a comma between while one is changed).
ROLLOUT_RECIPIENTS = words("ROLLOUT_RECIPIENTS")
ROLLOUT_WEBHOOK_URL = os.environ.get("ROLLOUT_WEBHOOK_URL", "")
ROLLOUT_WEBHOOK_SECRETS = words("ROLLOUT_WEBHOOK_SECRET")
if ROLLOUT_WEBHOOK_URL and not ROLLOUT_WEBHOOK_URL.startswith(("https://", "http://")):
    raise ImproperlyConfigured("ROLLOUT_WEBHOOK_URL is no address. Write it with https:// in front.")
if ROLLOUT_WEBHOOK_URL and not ROLLOUT_WEBHOOK_SECRETS:
    raise ImproperlyConfigured(
        "ROLLOUT_WEBHOOK_URL is set without ROLLOUT_WEBHOOK_SECRET. Set the secret it signs with."
    )
