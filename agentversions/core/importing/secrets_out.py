"""Takes keys out of an imported document: each becomes `{{secret:NAME}}`, in the configuration and in the source."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from agentversions.core.secrets import (
    KNOWN_KEY,
    SCHEME,
    URL_CREDENTIAL,
    address_holds_credentials,
    is_secret_header,
    looks_like_key,
    secret_name,
)

SHORTEST_MASKABLE = 8
"""A shorter key may be an ordinary word of the text around it: replacing it everywhere would destroy the text."""
OPAQUE = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9_+/=.-]{16,}")
ALWAYS_SECRET = re.compile(r"(?:password|secret|api[-_]?key|(?:auth|access)[-_]?token)$", re.IGNORECASE)
PERHAPS_SECRET = re.compile(r"(?:key|token|signature|credential)$", re.IGNORECASE)


@dataclass
class Vault:
    """The keys found so far: the literal value → the name that replaces it. Never leaves the import."""

    names: dict[str, str] = field(default_factory=dict)

    def hide(self, value: str, name: str) -> str:
        """The reference that replaces a literal key; the same key gets the same name, another one a number."""
        if value not in self.names:
            unique, number = name, 2
            while unique in self.names.values():
                unique, number = f"{name}_{number}", number + 1
            self.names[value] = unique
        return f"{{{{secret:{self.names[value]}}}}}"

    def hide_in_tool(self, tool: dict[str, Any]) -> None:
        """Mask a tool's headers and address, in place."""
        self._hide_in_headers(tool.get("headers", {}), tool["name"])
        if address_holds_credentials(address := tool.get("endpoint", "")):
            tool["endpoint"] = self._hide_in_words(address, secret_name(tool["name"], "address"))

    def hide_in_rest(self, value: Any, name: str = "") -> Any:
        """A copy of the value with the keys masked that stand in headers, have a well-known shape or a telling name."""
        if isinstance(value, dict):
            copied = {key: self.hide_in_rest(item, key) for key, item in value.items()}
            if name.lower().endswith("headers"):
                self._hide_in_headers(copied, "")
            return copied
        if isinstance(value, list):
            return [self.hide_in_rest(item, name) for item in value]
        if not isinstance(value, str):
            return value
        if _is_named_secret(name, value):
            return self._hide_value(value, secret_name("", name))
        return self._hide_in_words(value, secret_name(name, "key"))

    def hide_in_text(self, text: str) -> str | None:
        """The source text with every key masked; None when one of them cannot be masked without harm."""
        for value, name in sorted(self.names.items(), key=lambda pair: -len(pair[0])):
            escaped = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], value.replace("/", "\\/")}
            found = [form for form in {value, *escaped} if form in text]
            if len(value) < SHORTEST_MASKABLE or not found:
                return None
            for form in found:
                text = text.replace(form, f"{{{{secret:{name}}}}}")
        return text

    def _hide_in_headers(self, headers: dict[str, Any], owner: str) -> None:
        for header, value in headers.items():
            if isinstance(value, str) and is_secret_header(header, value):
                headers[header] = self._hide_value(value, secret_name(owner, header))

    def _hide_value(self, value: str, name: str) -> str:
        """Everything behind `Bearer ` and its like."""
        scheme = SCHEME.match(value.strip())
        prefix = scheme.group() if scheme else ""
        return prefix + self.hide(value.strip()[len(prefix) :], name)

    def _hide_in_words(self, words: str, name: str) -> str:
        """Only the keys inside an address or a text."""
        if "PRIVATE KEY-----" in words:
            return self.hide(words, name)
        if looks_like_key(words):
            words = KNOWN_KEY.sub(lambda match: self.hide(match.group(), name), words)
        if URL_CREDENTIAL.match(words) and address_holds_credentials(words):
            scheme, _, after = words.partition("://")
            login, _, host = after.partition("@")
            words = f"{scheme}://{self.hide(login, name)}@{host}"
        return words


def _is_named_secret(name: str, value: str) -> bool:
    if re.search(r"\s|\{\{|\$\{|^<", value) or len(value) < 4:
        return False
    return bool(ALWAYS_SECRET.search(name) or (PERHAPS_SECRET.search(name) and OPAQUE.fullmatch(value)))
