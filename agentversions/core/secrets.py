"""Recognises credentials, so that none is ever stored in a configuration: headers say `{{secret:NAME}}` instead."""

import re

REFERENCE = re.compile(r"\{\{\s*secret:[A-Za-z_][A-Za-z0-9_]*\s*\}\}")
KNOWN_KEY = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"sk-[A-Za-z0-9_-]{16,}"  # OpenAI, Anthropic and look-alikes
    r"|sk_[a-z]+_[A-Za-z0-9]{16,}"  # Stripe
    r"|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}"
    r"|xox[abprs]-[A-Za-z0-9-]{10,}"
    r"|AKIA[0-9A-Z]{16}|ASIA[0-9A-Z]{16}"
    r"|AIza[0-9A-Za-z_-]{30,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"  # JSON Web Token
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r")"
)
CREDENTIAL_HEADER = re.compile(
    r"^(?:proxy-)?authorization$|(?:^|[-_])(?:api[-_]?key|apikey|key|token|secret|password|signature|credential)s?$"
    r"|^cookie$",
    re.IGNORECASE,
)
SCHEME = re.compile(r"^(?:Bearer|Basic|Token|ApiKey|Digest)\s+", re.IGNORECASE)
PLACEHOLDER = re.compile(r"\{\{[^{}]*\}\}|\$\{[^{}]*\}|<[^<>]*>")
URL_CREDENTIAL = re.compile(r"^[a-z][a-z0-9+.-]*://[^/@\s]*:[^/@\s]+@", re.IGNORECASE)


def looks_like_key(text: str) -> bool:
    """Whether a text holds something with the shape of a well-known credential."""
    return KNOWN_KEY.search(REFERENCE.sub("", text)) is not None


def is_secret_header(name: str, value: str) -> bool:
    """Whether a header carries a credential in clear: a known key, or a literal value in a credential header."""
    if looks_like_key(value):
        return True
    if not CREDENTIAL_HEADER.search(name.strip()):
        return False
    return bool(PLACEHOLDER.sub("", SCHEME.sub("", value.strip())).strip())


def address_holds_credentials(address: str) -> bool:
    """Whether a URL carries `user:password@` or a known key."""
    return URL_CREDENTIAL.match(PLACEHOLDER.sub("", address)) is not None or looks_like_key(address)


def secret_name(tool: str, header: str) -> str:
    """A name for the secret that replaces a header's literal value: CRM_AUTHORIZATION."""
    return re.sub(r"[^A-Z0-9]+", "_", f"{tool}_{header}".upper()).strip("_") or "SECRET"
