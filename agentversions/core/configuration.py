"""The schema of an agent's complete configuration: one definition for validation, JSON Schema, editor and compare page.

Every field carries its label (`title`) and, where it has one, its unit, so that no page has to know a field by name.
A configuration may be *storable* without being *publishable*: what blocks publishing is in `problems.py`.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

ShortText = Annotated[str, Field(max_length=200)]
Key = Annotated[str, Field(min_length=1, max_length=200)]
Json = dict[str, Any]


def setting(
    default: Any = ...,
    *,
    label: str,
    unit: str = "",
    hint: str = "",
    kind: str = "value",
    read_only: bool = False,
    **constraints: Any,
) -> Any:
    """A field with its label, unit and hint; `kind` says how it is shown: value, text (long) or json."""
    extra: JsonDict = {"kind": kind}
    if unit:
        extra["unit"] = unit
    if read_only:
        extra["readOnly"] = True
    if default is not ... and callable(default):
        constraints["default_factory"] = default
    elif default is not ...:
        constraints["default"] = default
    return Field(title=label, description=hint or None, json_schema_extra=extra, **constraints)


class Part(BaseModel):
    """Base of every part of a configuration: immutable; an unknown field is an error that names it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class LibraryLink(Part):
    """Where a tool or a knowledge base was picked from; picking copied it, so the link never changes it."""

    entry: Key = setting(label="Library entry")
    revision: int = setting(label="Library revision", ge=1)


class LanguageModel(Part):
    """The language model that speaks."""

    provider: ShortText = setting("openai", label="LLM provider")
    name: ShortText = setting("gpt-4o", label="LLM model")
    temperature: float = setting(0.7, label="Temperature", ge=0, le=2, hint="0 repeats itself, 2 improvises.")
    max_tokens: int | None = setting(
        None, label="Longest answer", unit="tokens", ge=1, le=1_000_000, hint="Empty: the provider's own limit."
    )


class Voice(Part):
    """The voice that callers hear (text to speech)."""

    provider: ShortText = setting("", label="TTS provider")
    voice: ShortText = setting("", label="TTS voice", hint="The provider's name or id of the voice.")
    model: ShortText = setting("", label="TTS model")
    speed: float = setting(1.0, label="Speaking speed", unit="×", ge=0.25, le=4)


class Transcriber(Part):
    """What turns the caller's words into text (speech to text)."""

    provider: ShortText = setting("", label="STT provider")
    model: ShortText = setting("", label="STT model")


class TurnTaking(Part):
    """Who speaks when: voice activity, interruptions, silence, inactivity."""

    vad_enabled: bool = setting(True, label="Voice activity detection")
    vad_threshold: float = setting(
        0.5, label="Voice activity threshold", ge=0, le=1, hint="Higher: louder speech is needed to count as speech."
    )
    end_of_speech_wait_ms: int = setting(700, label="End-of-speech wait", unit="ms", ge=0, le=30_000)
    interruptions_enabled: bool = setting(True, label="Callers may interrupt")
    interruption_min_words: int = setting(0, label="Words needed to interrupt", unit="words", ge=0, le=100)
    silence_timeout_s: float = setting(10.0, label="Silence before a reminder", unit="s", ge=0, le=3_600)
    silence_message: str = setting("", label="Reminder after silence")
    inactivity_timeout_s: float = setting(30.0, label="Inactivity before hanging up", unit="s", ge=0, le=86_400)
    inactivity_message: str = setting("", label="Goodbye after inactivity")
    max_duration_s: float = setting(1_800.0, label="Longest call", unit="s", ge=1, le=86_400)


class BackgroundSound(Part):
    """A sound under the voice, so that a line does not seem dead."""

    enabled: bool = setting(False, label="Background sound")
    sound: ShortText = setting("office", label="Background sound played", hint="A name or an address of a sound file.")
    volume: float = setting(0.3, label="Background volume", ge=0, le=1)


class Variable(Part):
    """A `{{name}}` that prompts may use; the platform fills it in, else the default stands."""

    name: Key = setting(label="Name")
    default: str = setting("", label="Default")
    description: str = setting("", label="Description")


class Retrieval(Part):
    """How passages of a knowledge base are chosen."""

    top_k: int = setting(5, label="Passages", unit="passages", ge=1, le=100)
    min_score: float = setting(0.0, label="Lowest relevance", ge=0, le=1)
    max_characters: int = setting(4_000, label="Longest context", unit="characters", ge=1, le=1_000_000)


class KnowledgeBase(Part):
    """A linked knowledge base, with the fingerprint of its content at the moment of linking."""

    id: Key = setting(label="Id")
    name: ShortText = setting("", label="Name")
    fingerprint: ShortText = setting(
        "", label="Content fingerprint", hint="SHA-256 of the content when it was linked.", read_only=True
    )
    retrieval: Retrieval = setting(Retrieval, label="Retrieval")
    library: LibraryLink | None = setting(None, label="Library")


def no_parameters() -> Json:
    """The JSON Schema of a tool that takes nothing."""
    return {"type": "object", "properties": {}}


class Tool(Part):
    """A tool in full, as the agent calls it."""

    name: Key = setting(label="Name")
    description: str = setting("", label="Description", kind="text")
    kind: Literal["webhook", "client", "built_in"] = setting(
        "webhook",
        label="Runs as",
        hint="webhook: we call an address; client: your code runs it; built_in: the platform.",
    )
    parameters: Json = setting(no_parameters, label="Parameters", kind="json", hint="JSON Schema.")
    endpoint: Annotated[str, Field(max_length=2_000)] = setting("", label="Address")
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = setting("POST", label="Method")
    headers: dict[str, str] = setting(dict, label="Headers", kind="json", hint="Secrets only as {{secret:NAME}}.")
    timeout_s: float = setting(20.0, label="Timeout", unit="s", gt=0, le=600)
    speech_while_running: str = setting("", label="Speech while running")
    library: LibraryLink | None = setting(None, label="Library")


class AnalysisField(Part):
    """One answer that the analysis of a finished call gives."""

    name: Key = setting(label="Name")
    type: Literal["text", "number", "boolean", "choice"] = setting("text", label="Type")
    description: str = setting("", label="Description")
    choices: tuple[str, ...] = setting((), label="Choices")
    required: bool = setting(False, label="Required")


class CallAnalysis(Part):
    """What is asked about every finished call."""

    prompt: str = setting("", label="Analysis prompt", kind="text")
    fields: tuple[AnalysisField, ...] = setting((), label="Analysis field")


class Node(Part):
    """A step of a workflow."""

    id: Key = setting(label="Id")
    type: ShortText = setting("", label="Type")
    label: str = setting("", label="Label")
    prompt: str = setting("", label="Prompt", kind="text")
    data: Json = setting(dict, label="Details", kind="json")


class Edge(Part):
    """A way from one step of a workflow to another."""

    id: Key = setting(label="Id")
    source: ShortText = setting(label="From")
    target: ShortText = setting(label="To")
    condition: str = setting("", label="Condition", kind="text")
    data: Json = setting(dict, label="Details", kind="json")


class Workflow(Part):
    """The graph of a workflow agent; empty for a single-prompt agent."""

    nodes: tuple[Node, ...] = setting((), label="Node")
    edges: tuple[Edge, ...] = setting((), label="Edge")


class Guardrail(Part):
    """A rule that is checked beside the prompt."""

    name: Key = setting(label="Name")
    checks: Literal["caller", "agent", "both"] = setting("both", label="Whose words are checked")
    instruction: str = setting("", label="Rule", kind="text")
    action: Literal["refuse", "transfer", "end_call", "flag"] = setting("refuse", label="When it is broken")


class AgentConfiguration(Part):
    """An agent's complete configuration. Its canonical JSON is what is stored, and its SHA-256 is its name."""

    name: Key = setting(label="Name")
    kind: Literal["single_prompt", "workflow"] = setting("single_prompt", label="Kind")
    system_prompt: str = setting("", label="System prompt", kind="text")
    welcome_message: str = setting("", label="Welcome message", kind="text")
    variables: tuple[Variable, ...] = setting((), label="Variable")
    model: LanguageModel = setting(LanguageModel, label="Model")
    language: ShortText = setting("en", label="Language", hint="A language tag such as en, fr-CA or ar.")
    voice: Voice = setting(Voice, label="Voice")
    transcriber: Transcriber = setting(Transcriber, label="Transcriber")
    background_sound: BackgroundSound = setting(BackgroundSound, label="Background sound")
    turn_taking: TurnTaking = setting(TurnTaking, label="Turn taking")
    knowledge_bases: tuple[KnowledgeBase, ...] = setting((), label="Knowledge base")
    tools: tuple[Tool, ...] = setting((), label="Tool")
    call_analysis: CallAnalysis = setting(CallAnalysis, label="Call analysis")
    workflow: Workflow = setting(Workflow, label="Workflow")
    guardrails: tuple[Guardrail, ...] = setting((), label="Guardrail")
    extensions: Json = setting(
        dict, label="Extensions", kind="json", hint="What an import brought and this schema does not know."
    )

    @model_validator(mode="after")
    def keys_are_unique(self) -> "AgentConfiguration":
        """Items are matched by their key everywhere (compare, merge, flags), so a key stands once in its list."""
        for (parent, field), key in KEYED_LISTS.items():
            owner = getattr(self, parent) if parent else self
            seen: set[str] = set()
            for item in getattr(owner, field):
                name = getattr(item, key)
                if name in seen:
                    label = type(owner).model_fields[field].title or field
                    raise ValueError(f"Two entries of “{label}” are called “{name}”. Rename one of them.")
                seen.add(name)
        return self


KEYED_LISTS: dict[tuple[str, str], str] = {
    ("", "variables"): "name",
    ("", "knowledge_bases"): "id",
    ("", "tools"): "name",
    ("call_analysis", "fields"): "name",
    ("workflow", "nodes"): "id",
    ("workflow", "edges"): "id",
    ("", "guardrails"): "name",
}
"""(part, field) of every list whose items are known by a key, and the item's field that is the key."""


class Tab(BaseModel):
    """A tab of the editor: which top-level fields it holds."""

    model_config = ConfigDict(frozen=True)
    key: str
    label: str
    icon: str
    fields: tuple[str, ...]


TABS: tuple[Tab, ...] = (
    Tab(
        key="prompt",
        label="Prompt",
        icon="text-size",
        fields=("name", "kind", "system_prompt", "welcome_message", "variables"),
    ),
    Tab(key="model", label="Model", icon="cpu", fields=("model",)),
    Tab(key="voice", label="Voice", icon="volume", fields=("language", "voice", "transcriber", "background_sound")),
    Tab(key="turn_taking", label="Turn taking", icon="clock", fields=("turn_taking",)),
    Tab(key="knowledge", label="Knowledge", icon="books", fields=("knowledge_bases",)),
    Tab(key="tools", label="Tools", icon="tool", fields=("tools",)),
    Tab(key="call_analysis", label="Call analysis", icon="clipboard-list", fields=("call_analysis",)),
    Tab(key="workflow", label="Workflow", icon="sitemap", fields=("workflow",)),
    Tab(key="guardrails", label="Guardrails", icon="shield", fields=("guardrails", "extensions")),
)
TAB_OF_FIELD: dict[str, Tab] = {field: tab for tab in TABS for field in tab.fields}
