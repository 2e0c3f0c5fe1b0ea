"""The index of an agent's calls in the order in which they ended."""

from django.db import migrations

# Serves the live tail of an agent's page (services/call_tail.py), which asks every two seconds for the calls that ended
# last: the newest twenty are read from the index's beginning, whatever the agent has in all. Calls under way are not in it.
FORWARDS = """
CREATE INDEX monitoring_call_ended
    ON monitoring_call (agent_id, (coalesce(ended_at, received_at)) DESC, id DESC) WHERE is_over;
"""
BACKWARDS = "DROP INDEX monitoring_call_ended;"


class Migration(migrations.Migration):
    """Every partition gets it, those of months to come as well."""

    dependencies = [("monitoring", "0007_import_progress")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
