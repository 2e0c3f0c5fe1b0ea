"""The callers that flags list: in a flag they are keyed hashes; who they are is kept encrypted beside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice

from django.conf import settings
from django.db.models import QuerySet

from agentversions.models import User
from agentversions.services.audit import record_once_per_sitting
from channels.core.caller_keys import CallerKeys, masked
from channels.models import FlagCaller

AT_ONCE = 5_000
"""Rows that one statement reads or writes."""
MOST_SHOWN = 12


@dataclass(frozen=True)
class ListedCallers:
    """A list in clear, in order, and how many of it were erased: they stay on the list, and nobody knows who."""

    callers: tuple[str, ...]
    erased: int


@cache
def caller_keys() -> CallerKeys:
    """The keys of this installation."""
    return CallerKeys(settings.CALLER_SECRET.encode())


def hash_of(caller: str) -> str:
    """A caller, as `read_caller` writes one, as flags hold it: 32 hex characters."""
    return caller_keys().hash_of(caller).hex()


def remember_callers(callers: Iterable[str]) -> None:
    """Keep who these callers are, so that the list can be shown again. Those that are known stay as they are."""
    by_hash = {caller_keys().hash_of(caller): caller for caller in callers}
    keys = caller_keys()
    for part in _parts(sorted(by_hash)):
        known = {bytes(found) for found in _rows(part).values_list("caller_hash", flat=True)}
        rows = [
            FlagCaller(
                caller_hash=each,
                caller_secret=keys.encrypt(by_hash[each]),
                caller_shown=masked(by_hash[each])[:20],
            )
            for each in part
            if each not in known
        ]
        # Two people may add the same caller at once: the first row stays.
        FlagCaller.objects.bulk_create(rows, ignore_conflicts=True)


def masked_callers(hashes: Iterable[str]) -> tuple[str, ...]:
    """The ends of some of these callers, for those who may not see the numbers."""
    some = [bytes.fromhex(each) for each in islice(sorted(hashes), MOST_SHOWN)]
    return tuple(sorted(_rows(some).values_list("caller_shown", flat=True)))


def callers_in_clear(hashes: Iterable[str], *, key: str, actor: User) -> ListedCallers:
    """The callers themselves, for somebody who may listen; that they were read stands in the audit trail."""
    wanted = [bytes.fromhex(each) for each in sorted(hashes)]
    keys = caller_keys()
    found = []
    for part in _parts(wanted):
        secrets = _rows(part).values_list("caller_secret", flat=True)
        found += [caller for secret in secrets if (caller := keys.decrypt(bytes(secret))) is not None]
    if found:
        record_once_per_sitting(action="flag callers read", subject_kind="flag", subject=key, actor=actor)
    return ListedCallers(tuple(sorted(found)), len(wanted) - len(found))


def known_hashes(hashes: Iterable[str]) -> frozenset[str]:
    """Those of which it is known who they are."""
    wanted = [bytes.fromhex(each) for each in sorted(hashes)]
    return frozenset(
        bytes(found).hex() for part in _parts(wanted) for found in _rows(part).values_list("caller_hash", flat=True)
    )


def forget_caller(caller_hash: bytes) -> None:
    """Erase who a caller is; the hash on the lists says nothing without the key."""
    FlagCaller.objects.filter(caller_hash=caller_hash).delete()


def _rows(hashes: Sequence[bytes]) -> QuerySet[FlagCaller]:
    return FlagCaller.objects.filter(caller_hash__in=hashes)


def _parts(hashes: Sequence[bytes]) -> Iterable[Sequence[bytes]]:
    return (hashes[start : start + AT_ONCE] for start in range(0, len(hashes), AT_ONCE))
