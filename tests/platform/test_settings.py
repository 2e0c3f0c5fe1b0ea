"""Settings are secure when nothing is said."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings

from config.data_folder import PROJECT

SHOWN = (
    "DEBUG", "ALLOWED_HOSTS", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS",
    "SECURE_SSL_REDIRECT", "CSRF_TRUSTED_ORIGINS", "ACCOUNT_EMAIL_VERIFICATION", "SECRET_KEY", "DATABASES",
)  # fmt: skip


def settings_with(folder: Path, **variables: str) -> dict[str, Any]:
    """The settings that a process with these variables would have."""
    code = (
        "import json; from django.conf import settings; "
        f"print(json.dumps({{name: getattr(settings, name) for name in {SHOWN!r}}}))"
    )
    environment = {"PATH": os.environ["PATH"], "AGENT_VERSIONS_DATA": str(folder), **variables}
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env={**environment, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    shown: dict[str, Any] = json.loads(result.stdout)
    return shown


def test_without_any_variable_the_settings_are_safe_on_this_machine_only(tmp_path: Path) -> None:
    shown = settings_with(tmp_path)
    assert shown["DEBUG"] is False
    assert shown["ALLOWED_HOSTS"] == ["127.0.0.1", "localhost", "[::1]"]
    assert shown["ACCOUNT_EMAIL_VERIFICATION"] == "none"


def test_the_secret_key_is_drawn_once_and_kept_private(tmp_path: Path) -> None:
    first, second = settings_with(tmp_path), settings_with(tmp_path)
    assert first["SECRET_KEY"] == second["SECRET_KEY"]
    assert len(first["SECRET_KEY"]) >= 50
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
    assert settings_with(tmp_path, SECRET_KEY="given")["SECRET_KEY"] == "given"


def test_a_public_https_address_makes_cookies_secure(tmp_path: Path) -> None:
    shown = settings_with(tmp_path, PUBLIC_URL="https://versions.example.test", EMAIL_HOST="mail.example.test")
    assert shown["SESSION_COOKIE_SECURE"]
    assert shown["CSRF_COOKIE_SECURE"]
    assert shown["SECURE_HSTS_SECONDS"] > 0
    assert shown["ALLOWED_HOSTS"][0] == "versions.example.test"
    assert shown["CSRF_TRUSTED_ORIGINS"] == ["https://versions.example.test"]
    assert shown["SECURE_SSL_REDIRECT"] is False
    assert shown["ACCOUNT_EMAIL_VERIFICATION"] == "mandatory"
    assert settings_with(tmp_path, PUBLIC_URL="https://v.example.test", TRUST_PROXY="1")["SECURE_SSL_REDIRECT"]


def test_the_application_and_the_owner_connect_as_different_roles(tmp_path: Path) -> None:
    urls = {"DATABASE_URL": "postgres://app:a@db/v", "DATABASE_OWNER_URL": "postgres://owner:o@db/v"}
    application = settings_with(tmp_path, **urls)["DATABASES"]["default"]
    owner = settings_with(tmp_path, **urls, AGENT_VERSIONS_DB_ROLE="owner")["DATABASES"]["default"]
    assert (application["USER"], owner["USER"]) == ("app", "owner")
    assert application["CONN_HEALTH_CHECKS"]
    assert 2 <= application["OPTIONS"]["pool"]["timeout"] <= 3
    assert "pool" not in owner["OPTIONS"]


def test_the_content_security_policy_allows_nothing_inline_and_nothing_foreign() -> None:
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    assert directives["default-src"] == ["'none'"]
    assert {word for words in directives.values() for word in words} == {"'none'", "'self'", "data:"}
    assert [name for name, words in directives.items() if "data:" in words] == ["img-src"]
