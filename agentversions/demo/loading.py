"""Puts the demo into the database, through the services that users reach."""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from agentversions.models import Agent, LibraryEntry, User
from agentversions.services.agents import create_agent
from agentversions.services.deployments import make_live, roll_back
from agentversions.services.drafts import replace_draft
from agentversions.services.libraries import create_entry, save_revision
from agentversions.services.publishing import get_version, publish

from .release import load_release
from .stories import Story, read_libraries, read_people, read_stories

KINDS = {"tools": LibraryEntry.Kind.TOOL, "knowledge_bases": LibraryEntry.Kind.KNOWLEDGE_BASE}
Chapter = Callable[[Mapping[str, User]], None]
_chapters: list[Chapter] = []
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def register_chapter(chapter: Chapter) -> None:
    """Let an app above add its own part of the demo; it gets the people by their user names."""
    _chapters.append(chapter)


@transaction.atomic
def load_demo(*, password: str, now: datetime) -> tuple[User, ...]:
    """Load what is not there yet and give the people that were made; whoever was there keeps their password."""
    people = {fields["username"]: _person(fields, password) for fields in read_people()}
    authors = {name: person for name, (person, _) in people.items()}
    for kind, entries in read_libraries().items():
        for entry in entries:
            _fill(KINDS[kind], entry, authors)
    for story in read_stories():
        if not Agent.objects.filter(slug=story.slug).exists():
            tell(story=story, now=now, authors=authors)
    load_release(authors)
    for chapter in _chapters:
        chapter(authors)
    return tuple(person for person, is_new in people.values() if is_new)


def make_password() -> str:
    """A password that is easy to type: three groups of four letters and digits, none easily mistaken for another."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))


def tell(*, story: Story, now: datetime, authors: dict[str, User]) -> Agent:
    """One agent with every step of its history, oldest first."""
    first = story.steps[0]
    agent = create_agent(content=first.content, slug=story.slug, folder=story.folder, actor=authors[first.by])
    for step in story.steps:
        author = authors[step.by]
        agent = replace_draft(agent=agent, content=step.content, reason=step.name, actor=author).agent
        publish(
            agent=agent,
            name=step.name,
            description=step.description,
            created_at=step.happened_at(now),
            actor=author,
        )
    for row in story.live:
        version, actor = get_version(agent, row.version), authors[row.by]
        if row.is_rollback:
            roll_back(agent=agent, to=version, reason=row.reason, actor=actor)
        else:
            make_live(version=version, reason=row.reason, actor=actor)
    if story.draft:
        agent = replace_draft(agent=agent, content=story.draft.content, actor=authors[story.draft.by]).agent
    return agent


def _fill(kind: LibraryEntry.Kind, fields: dict[str, Any], authors: dict[str, User]) -> None:
    """One entry of a library with its later revision, unless it is there."""
    if LibraryEntry.objects.filter(kind=kind, slug=fields["slug"]).exists():
        return
    entry = create_entry(
        kind=kind,
        content=fields["content"],
        description=fields["description"],
        slug=fields["slug"],
        actor=authors[fields["by"]],
    )
    if revised := fields.get("revised"):
        content = {**fields["content"], **revised["content"]}
        save_revision(entry=entry, content=content, seen=1, actor=authors[revised["by"]])


def _person(fields: dict[str, Any], password: str) -> tuple[User, bool]:
    """A person of the demo, and whether they are new."""
    known = User.objects.filter(username=fields["username"]).first()
    if known is not None:
        return known, False
    values = {name: value for name, value in fields.items() if name != "says"}
    is_superuser = values.pop("is_superuser", False)
    person = User(**values, is_staff=is_superuser, is_superuser=is_superuser)
    validate_password(password, person)
    person.set_password(password)
    person.save()
    return person, True
