"""Figures by day, channel and reason of ending, histograms by day and month; filled from the calls that are there."""

from django.db import migrations, models

FILL = """
INSERT INTO monitoring_hourfigures (agent_id, hour, version, variant, is_test, calls, over, engaged, automated,
transferred, errors, succeeded, failed, positive, neutral, negative, timed, duration_ms, duration_ds_squared,
latencies, latency_ms, scored, score_milli) SELECT agent_id AS agent_id, date_trunc('hour', started_at, 'UTC')
AS hour, coalesce(version, -1) AS version, variant AS variant, is_test AS is_test, count(*) AS calls, count(*)
FILTER (WHERE is_over) AS over, count(*) FILTER (WHERE is_over AND engaged) AS engaged, count(*) FILTER (WHERE
is_over AND engaged AND NOT coalesce(transferred, false) AND NOT coalesce(is_error, false)) AS automated,
count(*) FILTER (WHERE transferred) AS transferred, count(*) FILTER (WHERE is_error) AS errors, count(*) FILTER
(WHERE evaluation = 'success') AS succeeded, count(*) FILTER (WHERE evaluation = 'fail') AS failed, count(*)
FILTER (WHERE sentiment = 1) AS positive, count(*) FILTER (WHERE sentiment = 0) AS neutral, count(*) FILTER
(WHERE sentiment = -1) AS negative, count(duration_ms) AS timed, coalesce(sum(duration_ms), 0)::bigint AS
duration_ms, coalesce(sum((round(duration_ms / 100::float8) ^ 2)::bigint), 0)::bigint AS duration_ds_squared,
count(latency_ms) AS latencies, coalesce(sum(round(latency_ms)::bigint), 0)::bigint AS latency_ms,
count(sentiment_score) AS scored, coalesce(sum(round(sentiment_score * 1000)::bigint), 0)::bigint AS score_milli
FROM monitoring_call WHERE true GROUP BY 1, 2, 3, 4, 5;
INSERT INTO monitoring_dayfigures (agent_id, day, version, is_test, calls, over, engaged, automated,
transferred, errors, succeeded, failed, positive, neutral, negative, timed, duration_ms, duration_ds_squared,
latencies, latency_ms, scored, score_milli) SELECT agent_id AS agent_id, (started_at AT TIME ZONE 'UTC')::date
AS day, coalesce(version, -1) AS version, is_test AS is_test, count(*) AS calls, count(*) FILTER (WHERE is_over)
AS over, count(*) FILTER (WHERE is_over AND engaged) AS engaged, count(*) FILTER (WHERE is_over AND engaged AND
NOT coalesce(transferred, false) AND NOT coalesce(is_error, false)) AS automated, count(*) FILTER (WHERE
transferred) AS transferred, count(*) FILTER (WHERE is_error) AS errors, count(*) FILTER (WHERE evaluation =
'success') AS succeeded, count(*) FILTER (WHERE evaluation = 'fail') AS failed, count(*) FILTER (WHERE sentiment
= 1) AS positive, count(*) FILTER (WHERE sentiment = 0) AS neutral, count(*) FILTER (WHERE sentiment = -1) AS
negative, count(duration_ms) AS timed, coalesce(sum(duration_ms), 0)::bigint AS duration_ms,
coalesce(sum((round(duration_ms / 100::float8) ^ 2)::bigint), 0)::bigint AS duration_ds_squared,
count(latency_ms) AS latencies, coalesce(sum(round(latency_ms)::bigint), 0)::bigint AS latency_ms,
count(sentiment_score) AS scored, coalesce(sum(round(sentiment_score * 1000)::bigint), 0)::bigint AS score_milli
FROM monitoring_call WHERE true GROUP BY 1, 2, 3, 4;
INSERT INTO monitoring_costfigures (agent_id, day, version, is_test, currency, calls, cost_micro) SELECT
agent_id AS agent_id, (started_at AT TIME ZONE 'UTC')::date AS day, coalesce(version, -1) AS version, is_test AS
is_test, currency AS currency, count(*) AS calls, sum((cost * 1000000)::bigint)::bigint AS cost_micro FROM
monitoring_call WHERE cost IS NOT NULL GROUP BY 1, 2, 3, 4, 5;
INSERT INTO monitoring_durationfigures (agent_id, span, start, version, is_test, part, b0, b1, b2, b3, b4, b5,
b6, b7, b8, b9, b10, b11, b12, b13, b14, b15, b16, b17, b18, b19, b20, b21, b22, b23, b24, b25, b26, b27, b28,
b29, b30, b31) SELECT agent_id AS agent_id, span AS span, start AS start, coalesce(version, -1) AS version,
is_test AS is_test, ((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 + floor(ln(duration_ms / 10::float8) /
ln(1.02::float8)) END)::int / 32)::smallint AS part, count(*) FILTER (WHERE mod((CASE WHEN duration_ms < 10 THEN
0 ELSE 1 + floor(ln(duration_ms / 10::float8) / ln(1.02::float8)) END)::int, 32) = 0) AS b0, count(*) FILTER
(WHERE mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 + floor(ln(duration_ms / 10::float8) / ln(1.02::float8))
END)::int, 32) = 1) AS b1, count(*) FILTER (WHERE mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 +
floor(ln(duration_ms / 10::float8) / ln(1.02::float8)) END)::int, 32) = 2) AS b2, count(*) FILTER (WHERE
mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 + floor(ln(duration_ms / 10::float8) / ln(1.02::float8))
END)::int, 32) = 3) AS b3, count(*) FILTER (WHERE mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 +
floor(ln(duration_ms / 10::float8) / ln(1.02::float8)) END)::int, 32) = 4) AS b4, count(*) FILTER (WHERE
mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 + floor(ln(duration_ms / 10::float8) / ln(1.02::float8))
END)::int, 32) = 5) AS b5, count(*) FILTER (WHERE mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 +
floor(ln(duration_ms / 10::float8) / ln(1.02::float8)) END)::int, 32) = 6) AS b6, count(*) FILTER (WHERE
mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 + floor(ln(duration_ms / 10::float8) / ln(1.02::float8))
END)::int, 32) = 7) AS b7, count(*) FILTER (WHERE mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 +
floor(ln(duration_ms / 10::float8) / ln(1.02::float8)) END)::int, 32) = 8) AS b8, count(*) FILTER (WHERE
mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 + floor(ln(duration_ms / 10::float8) / ln(1.02::float8))
END)::int, 32) = 9) AS b9, count(*) FILTER (WHERE mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 +
floor(ln(duration_ms / 10::float8) / ln(1.02::float8)) END)::int, 32) = 10) AS b10, count(*) FILTER (WHERE
mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 + floor(ln(duration_ms / 10::float8) / ln(1.02::float8))
END)::int, 32) = 11) AS b11, count(*) FILTER (WHERE mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 +
floor(ln(duration_ms / 10::float8) / ln(1.02::float8)) END)::int, 32) = 12) AS b12, count(*) FILTER (WHERE
mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 + floor(ln(duration_ms / 10::float8) / ln(1.02::float8))
END)::int, 32) = 13) AS b13, count(*) FILTER (WHERE mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 +
floor(ln(duration_ms / 10::float8) / ln(1.02::float8)) END)::int, 32) = 14) AS b14, count(*) FILTER (WHERE
mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 + floor(ln(duration_ms / 10::float8) / ln(1.02::float8))
END)::int, 32) = 15) AS b15, count(*) FILTER (WHERE mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 +
floor(ln(duration_ms / 10::float8) / ln(1.02::float8)) END)::int, 32) = 16) AS b16, count(*) FILTER (WHERE
mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 + floor(ln(duration_ms / 10::float8) / ln(1.02::float8))
END)::int, 32) = 17) AS b17, count(*) FILTER (WHERE mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 +
floor(ln(duration_ms / 10::float8) / ln(1.02::float8)) END)::int, 32) = 18) AS b18, count(*) FILTER (WHERE
mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 + floor(ln(duration_ms / 10::float8) / ln(1.02::float8))
END)::int, 32) = 19) AS b19, count(*) FILTER (WHERE mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 +
floor(ln(duration_ms / 10::float8) / ln(1.02::float8)) END)::int, 32) = 20) AS b20, count(*) FILTER (WHERE
mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 + floor(ln(duration_ms / 10::float8) / ln(1.02::float8))
END)::int, 32) = 21) AS b21, count(*) FILTER (WHERE mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 +
floor(ln(duration_ms / 10::float8) / ln(1.02::float8)) END)::int, 32) = 22) AS b22, count(*) FILTER (WHERE
mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 + floor(ln(duration_ms / 10::float8) / ln(1.02::float8))
END)::int, 32) = 23) AS b23, count(*) FILTER (WHERE mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 +
floor(ln(duration_ms / 10::float8) / ln(1.02::float8)) END)::int, 32) = 24) AS b24, count(*) FILTER (WHERE
mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 + floor(ln(duration_ms / 10::float8) / ln(1.02::float8))
END)::int, 32) = 25) AS b25, count(*) FILTER (WHERE mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 +
floor(ln(duration_ms / 10::float8) / ln(1.02::float8)) END)::int, 32) = 26) AS b26, count(*) FILTER (WHERE
mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 + floor(ln(duration_ms / 10::float8) / ln(1.02::float8))
END)::int, 32) = 27) AS b27, count(*) FILTER (WHERE mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 +
floor(ln(duration_ms / 10::float8) / ln(1.02::float8)) END)::int, 32) = 28) AS b28, count(*) FILTER (WHERE
mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 + floor(ln(duration_ms / 10::float8) / ln(1.02::float8))
END)::int, 32) = 29) AS b29, count(*) FILTER (WHERE mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 +
floor(ln(duration_ms / 10::float8) / ln(1.02::float8)) END)::int, 32) = 30) AS b30, count(*) FILTER (WHERE
mod((CASE WHEN duration_ms < 10 THEN 0 ELSE 1 + floor(ln(duration_ms / 10::float8) / ln(1.02::float8))
END)::int, 32) = 31) AS b31 FROM monitoring_call, LATERAL (VALUES ('d', (started_at AT TIME ZONE 'UTC')::date),
('m', date_trunc('month', started_at AT TIME ZONE 'UTC')::date)) AS spans (span, start) WHERE duration_ms IS NOT
NULL GROUP BY 1, 2, 3, 4, 5, 6;
INSERT INTO monitoring_channelfigures (agent_id, day, channel, version, is_test, calls, over, engaged,
automated, transferred, errors) SELECT agent_id AS agent_id, (started_at AT TIME ZONE 'UTC')::date AS day,
channel AS channel, coalesce(version, -1) AS version, is_test AS is_test, count(*) AS calls, count(*) FILTER
(WHERE is_over) AS over, count(*) FILTER (WHERE is_over AND engaged) AS engaged, count(*) FILTER (WHERE is_over
AND engaged AND NOT coalesce(transferred, false) AND NOT coalesce(is_error, false)) AS automated, count(*)
FILTER (WHERE transferred) AS transferred, count(*) FILTER (WHERE is_error) AS errors FROM monitoring_call WHERE
channel <> '' GROUP BY 1, 2, 3, 4, 5;
INSERT INTO monitoring_reasonfigures (agent_id, day, version, is_test, reason, calls) SELECT agent_id AS
agent_id, (started_at AT TIME ZONE 'UTC')::date AS day, coalesce(version, -1) AS version, is_test AS is_test,
ended_reason AS reason, count(*) AS calls FROM monitoring_call WHERE ended_reason <> '' GROUP BY 1, 2, 3, 4, 5;
"""


class Migration(migrations.Migration):
    """The sums by hour keep their shape and are counted anew with the rest."""

    dependencies = [("monitoring", "0002_partitions")]
    operations = [
        migrations.RemoveField(model_name="call", name="is_analysis_odd"),
        migrations.RunSQL("ALTER TABLE monitoring_call DROP COLUMN IF EXISTS is_analysis_odd", migrations.RunSQL.noop),
        migrations.DeleteModel(name="CostFigures"),
        migrations.DeleteModel(name="DurationFigures"),
        migrations.DeleteModel(name="HourFigures"),
        migrations.CreateModel(
            name="ChannelFigures",
            fields=[
                ("agent_id", models.IntegerField()),
                ("version", models.IntegerField()),
                ("is_test", models.BooleanField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "agent_id",
                        "day",
                        "channel",
                        "version",
                        "is_test",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                ("channel", models.CharField(max_length=64)),
                ("calls", models.IntegerField(default=0)),
                ("over", models.IntegerField(default=0)),
                ("engaged", models.IntegerField(default=0)),
                ("automated", models.IntegerField(default=0)),
                ("transferred", models.IntegerField(default=0)),
                ("errors", models.IntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="CostFigures",
            fields=[
                ("agent_id", models.IntegerField()),
                ("version", models.IntegerField()),
                ("is_test", models.BooleanField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "agent_id",
                        "day",
                        "version",
                        "is_test",
                        "currency",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                ("currency", models.CharField(max_length=3)),
                ("calls", models.IntegerField(default=0)),
                ("cost_micro", models.BigIntegerField(default=0)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="DayFigures",
            fields=[
                ("agent_id", models.IntegerField()),
                ("version", models.IntegerField()),
                ("is_test", models.BooleanField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "agent_id",
                        "day",
                        "version",
                        "is_test",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                ("calls", models.IntegerField(default=0)),
                ("over", models.IntegerField(default=0)),
                ("engaged", models.IntegerField(default=0)),
                ("automated", models.IntegerField(default=0)),
                ("transferred", models.IntegerField(default=0)),
                ("errors", models.IntegerField(default=0)),
                ("succeeded", models.IntegerField(default=0)),
                ("failed", models.IntegerField(default=0)),
                ("positive", models.IntegerField(default=0)),
                ("neutral", models.IntegerField(default=0)),
                ("negative", models.IntegerField(default=0)),
                ("timed", models.IntegerField(default=0)),
                ("duration_ms", models.BigIntegerField(default=0)),
                ("duration_ds_squared", models.BigIntegerField(default=0)),
                ("latencies", models.IntegerField(default=0)),
                ("latency_ms", models.BigIntegerField(default=0)),
                ("scored", models.IntegerField(default=0)),
                ("score_milli", models.BigIntegerField(default=0)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="DurationFigures",
            fields=[
                ("agent_id", models.IntegerField()),
                ("version", models.IntegerField()),
                ("is_test", models.BooleanField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "agent_id",
                        "span",
                        "start",
                        "version",
                        "is_test",
                        "part",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("span", models.CharField(max_length=1)),
                ("start", models.DateField()),
                ("part", models.SmallIntegerField()),
                ("b0", models.IntegerField(default=0)),
                ("b1", models.IntegerField(default=0)),
                ("b2", models.IntegerField(default=0)),
                ("b3", models.IntegerField(default=0)),
                ("b4", models.IntegerField(default=0)),
                ("b5", models.IntegerField(default=0)),
                ("b6", models.IntegerField(default=0)),
                ("b7", models.IntegerField(default=0)),
                ("b8", models.IntegerField(default=0)),
                ("b9", models.IntegerField(default=0)),
                ("b10", models.IntegerField(default=0)),
                ("b11", models.IntegerField(default=0)),
                ("b12", models.IntegerField(default=0)),
                ("b13", models.IntegerField(default=0)),
                ("b14", models.IntegerField(default=0)),
                ("b15", models.IntegerField(default=0)),
                ("b16", models.IntegerField(default=0)),
                ("b17", models.IntegerField(default=0)),
                ("b18", models.IntegerField(default=0)),
                ("b19", models.IntegerField(default=0)),
                ("b20", models.IntegerField(default=0)),
                ("b21", models.IntegerField(default=0)),
                ("b22", models.IntegerField(default=0)),
                ("b23", models.IntegerField(default=0)),
                ("b24", models.IntegerField(default=0)),
                ("b25", models.IntegerField(default=0)),
                ("b26", models.IntegerField(default=0)),
                ("b27", models.IntegerField(default=0)),
                ("b28", models.IntegerField(default=0)),
                ("b29", models.IntegerField(default=0)),
                ("b30", models.IntegerField(default=0)),
                ("b31", models.IntegerField(default=0)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="HourFigures",
            fields=[
                ("agent_id", models.IntegerField()),
                ("version", models.IntegerField()),
                ("is_test", models.BooleanField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "agent_id",
                        "hour",
                        "version",
                        "variant",
                        "is_test",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("variant", models.CharField(max_length=60)),
                ("calls", models.IntegerField(default=0)),
                ("over", models.IntegerField(default=0)),
                ("engaged", models.IntegerField(default=0)),
                ("automated", models.IntegerField(default=0)),
                ("transferred", models.IntegerField(default=0)),
                ("errors", models.IntegerField(default=0)),
                ("succeeded", models.IntegerField(default=0)),
                ("failed", models.IntegerField(default=0)),
                ("positive", models.IntegerField(default=0)),
                ("neutral", models.IntegerField(default=0)),
                ("negative", models.IntegerField(default=0)),
                ("timed", models.IntegerField(default=0)),
                ("duration_ms", models.BigIntegerField(default=0)),
                ("duration_ds_squared", models.BigIntegerField(default=0)),
                ("latencies", models.IntegerField(default=0)),
                ("latency_ms", models.BigIntegerField(default=0)),
                ("scored", models.IntegerField(default=0)),
                ("score_milli", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="ReasonFigures",
            fields=[
                ("agent_id", models.IntegerField()),
                ("version", models.IntegerField()),
                ("is_test", models.BooleanField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "agent_id",
                        "day",
                        "version",
                        "is_test",
                        "reason",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                ("reason", models.CharField(max_length=200)),
                ("calls", models.IntegerField(default=0)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddIndex(
            model_name="channelfigures",
            index=models.Index(fields=["channel", "day"], name="channel_figures_of_channel"),
        ),
        migrations.AddIndex(
            model_name="hourfigures",
            index=models.Index(
                fields=["agent_id", "version"], include=("is_test", "calls"), name="hour_figures_of_version"
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
