"""Where a repository may be, and what a branch or a folder in it may be called; each refusal is a sentence."""

import re

from agentversions.core.secrets import address_holds_credentials

HTTPS = re.compile(r"https://[A-Za-z0-9.\-]+(?::[0-9]{1,5})?/[^\s\x00-\x1f\x7f?#]+")
SSH = re.compile(r"ssh://(?:[A-Za-z0-9._\-]+@)?[A-Za-z0-9.][A-Za-z0-9.\-]*(?::[0-9]{1,5})?/[^\s\x00-\x1f\x7f]+")
SCP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._\-]*@[A-Za-z0-9.][A-Za-z0-9.\-]*:(?!-)[^\s\x00-\x1f\x7f:]+")
LOCAL = re.compile(r"/[^\x00-\x1f\x7f]+")
BRANCH = re.compile(r"(?![-./])(?!.*(?:\.\.|//|@\{|/\.|\.lock(?:/|$)))[^\x00-\x20\x7f~^:?*\[\\]{1,200}(?<![./])")
FOLDER = re.compile(r"[^\x00-\x1f\x7f\\:*?\"<>|]{0,200}")


def protocol_of(address: str) -> str:
    """`https`, `ssh` or `file`; empty for an address that is none of these."""
    if HTTPS.fullmatch(address):
        return "https"
    if SSH.fullmatch(address) or SCP.fullmatch(address):
        return "ssh"
    return "file" if LOCAL.fullmatch(address) else ""


def address_error(address: str) -> str:
    """Why a repository cannot have this address, in a sentence; empty when it can."""
    if address_holds_credentials(address) or re.match(r"https://[^/]*@", address):
        return (
            "The address holds a user name or a password. Take it out, and put the token into GIT_SYNC_TOKEN on the "
            "server."
        )
    if not protocol_of(address) or len(address) > 500:
        return "Give the address as https://…, ssh://…, git@host:path, or as a path of this server that begins with /."
    return ""


def branch_error(branch: str) -> str:
    """Why a branch cannot have this name, in a sentence; empty when it can."""
    if not BRANCH.fullmatch(branch) or branch == "@":
        return f"“{branch[:80]}” is no name of a branch. Write it as git does, such as main."
    return ""


def folder_error(folder: str) -> str:
    """Why agents cannot be looked for in this folder, in a sentence; empty when they can."""
    parts = folder.split("/") if folder else []
    if not FOLDER.fullmatch(folder) or any(part in {"", ".", ".."} or part.lower() == ".git" for part in parts):
        return "Write the folder as in the repository, such as agents or voice/agents; empty for the top."
    return ""
