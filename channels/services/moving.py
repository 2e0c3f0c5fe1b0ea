"""Moves the pointers of many channels in a few statements, each row with its history as a single save has."""

from collections.abc import Sequence

from django.db import connection

from agentversions.models import User
from channels.models import Channel, RouteBatch, RouteBatchItem

from .moves import Move

QUICK_TRIGGERS = "SELECT set_config('pgtrigger.ignore', '{}', true)"
"""No trigger is ignored. A trigger asks for this setting at every row, and is 30 times slower while nobody has set it.
"""
LOCK = "SELECT id, route_id FROM channels_channel WHERE id = ANY(%s) ORDER BY id FOR UPDATE"
MOVE = """
    UPDATE channels_channel
    SET route_id = moved.route, route_changed_by_id = %s, route_changed_at = clock_timestamp()
    FROM unnest(%s::bigint[], %s::varchar[]) AS moved (id, route)
    WHERE channels_channel.id = moved.id
"""
REMEMBER = """
    INSERT INTO {history} ({columns}, history_type, history_user_id, history_change_reason, history_date)
    SELECT {columns}, '~', %s, %s, clock_timestamp() FROM {channels} WHERE id = ANY(%s) ORDER BY id
"""
LIST = """
    INSERT INTO {items} (batch_id, channel_id, before_id, after_id)
    SELECT %s, moved.* FROM unnest(%s::bigint[], %s::varchar[], %s::varchar[]) AS moved
"""


def lock_routes(keys: Sequence[int]) -> dict[int, str]:
    """What answers these channels, locked in order of their keys so that two batches never wait in a ring."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [list(keys)])
        return dict(cursor.fetchall())


def move_channels(*, moves: Sequence[Move], batch: RouteBatch, reason: str, actor: User) -> None:
    """Point locked channels at their new routes, and write down each for the history and for the undo."""
    keys = [move.channel_id for move in moves]
    before, after = [move.before for move in moves], [move.after for move in moves]
    with connection.cursor() as cursor:
        cursor.execute(QUICK_TRIGGERS)
        cursor.execute(MOVE, [actor.pk, keys, after])
        cursor.execute(_remember(), [actor.pk, reason, keys])
        cursor.execute(LIST.format(items=RouteBatchItem._meta.db_table), [batch.pk, keys, before, after])


def _remember() -> str:
    """The statement for the history's own columns, whichever a channel has."""
    history = Channel.history.model._meta
    columns = [field.column for field in history.local_concrete_fields if not field.name.startswith("history_")]
    return REMEMBER.format(
        history=history.db_table, channels=Channel._meta.db_table, columns=", ".join(sorted(columns))
    )
