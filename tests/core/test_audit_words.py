"""What an entry of the audit log changed, said field by field."""

from monitoring.core.audit_words import say_difference


def test_a_difference_is_said_field_by_field() -> None:
    digest = "ab" * 32
    found = say_difference(
        {"route": "V1", "label": "x", "nested": {"a": 1, "b": 2}, "gone": True},
        {"route": "V2", "label": "x", "nested": {"a": 1, "b": 3}, "digest": digest},
    )
    assert [(each.name, each.before, each.after) for each in found] == [
        ("route", "V1", "V2"),
        ("nested › b", "2", "3"),
        ("gone", "on", None),
        ("digest", None, "abababab"),
    ]
    assert [each.is_same for each in say_difference({"summary": "a"}, {"summary": "a"})] == [True]
    assert [(each.before, each.after) for each in say_difference({"version": None}, {"version": 7})] == [(None, "V7")]
    assert [(each.before, each.after) for each in say_difference({"version": 7}, None)] == [("V7", None)]
    assert [(each.before, each.after) for each in say_difference({"share": 0}, {"share": 12_500})] == [
        ("0 %", "12.5 %")
    ]
    assert [each.after for each in say_difference(None, {"baseline": 2})] == ["V2"]
    assert say_difference(None, None) == []
    assert [(each.before, each.after) for each in say_difference(None, ["a", "b"])] == [(None, "a, b")]
    assert [(each.before, each.after) for each in say_difference({"n": 1}, {"n": True})] == [("1", "on")]
    assert len(say_difference(None, "x" * 5_000)[0].after or "") < 200
