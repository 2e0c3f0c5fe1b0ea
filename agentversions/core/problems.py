"""What keeps a configuration from being published, and what is only worth a warning."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from jsonschema import Draft202012Validator, SchemaError

from .configuration import TAB_OF_FIELD, AgentConfiguration, Tab, Tool
from .paths import ItemKey, join, split
from .secrets import address_holds_credentials, is_secret_header, looks_like_key

VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][\w.]*)\s*(?:\|[^{}]*)?\}\}")
PLATFORM_VARIABLES = frozenset(
    {"caller_number", "called_number", "call_id", "now", "date", "time", "weekday", "time_zone", "agent_name"}
)
"""Variables that the voice platform always fills in."""
ADDRESS = re.compile(r"^(?:https?|wss?)://[^\s/?#]+|^\{\{\s*secret:\w+\s*\}\}")


@dataclass(frozen=True)
class Problem:
    """One problem: the path of the field, a sentence that says what to do, and whether it blocks publishing."""

    path: str
    message: str
    is_blocking: bool = True

    @property
    def tab(self) -> Tab:
        """The editor's tab that holds the field."""
        return TAB_OF_FIELD[str(split(self.path)[0])]


def find_problems(configuration: AgentConfiguration) -> tuple[Problem, ...]:
    """Every problem, blocking ones first."""
    found = [*_field_problems(configuration), *_prompt_warnings(configuration)]
    return tuple(sorted(found, key=lambda problem: not problem.is_blocking))


def find_blocking(configuration: AgentConfiguration) -> tuple[Problem, ...]:
    """Only what keeps it from being published; no text is searched for what is worth a warning."""
    return blocking(tuple(_field_problems(configuration)))


def blocking(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Only those that keep the configuration from being published."""
    return tuple(problem for problem in problems if problem.is_blocking)


def unknown_variables(configuration: AgentConfiguration) -> tuple[str, ...]:
    """The `{{variables}}` of the prompts that neither the configuration nor the platform defines, in order."""
    defined = {variable.name for variable in configuration.variables} | PLATFORM_VARIABLES
    used: dict[str, None] = {}
    for text in prompts_of(configuration).values():
        used.update(dict.fromkeys(VARIABLE.findall(text)))
    return tuple(name for name in used if name not in defined)


def prompts_of(configuration: AgentConfiguration) -> dict[str, str]:
    """Every text that a model reads or says, by its path."""
    texts = {
        "system_prompt": configuration.system_prompt,
        "welcome_message": configuration.welcome_message,
        "turn_taking.silence_message": configuration.turn_taking.silence_message,
        "turn_taking.inactivity_message": configuration.turn_taking.inactivity_message,
        "call_analysis.prompt": configuration.call_analysis.prompt,
    }
    for node in configuration.workflow.nodes:
        texts[join(("workflow", "nodes", ItemKey(node.id), "prompt"))] = node.prompt
    return texts


def _field_problems(configuration: AgentConfiguration) -> Iterator[Problem]:
    yield from _prompt_problems(configuration)
    for tool in configuration.tools:
        yield from _tool_problems(tool)
    yield from _analysis_problems(configuration)
    yield from _workflow_problems(configuration)


def _prompt_problems(configuration: AgentConfiguration) -> Iterator[Problem]:
    if configuration.kind == "single_prompt" and not configuration.system_prompt.strip():
        yield Problem("system_prompt", "The system prompt is empty. Say what the agent is and does.")
    if not configuration.name.strip():
        yield Problem("name", "The name is empty. Give the agent a name.")
    if not configuration.model.name.strip():
        yield Problem("model.name", "No LLM model is chosen.")


def _tool_problems(tool: Tool) -> Iterator[Problem]:
    path = join(("tools", ItemKey(tool.name)))
    if tool.kind == "webhook" and not tool.endpoint.strip():
        yield Problem(f"{path}.endpoint", f"The tool “{tool.name}” has no address.")
    elif tool.endpoint and not ADDRESS.match(tool.endpoint):
        yield Problem(f"{path}.endpoint", f"The address of the tool “{tool.name}” does not start with https://.")
    if address_holds_credentials(tool.endpoint):
        yield Problem(f"{path}.endpoint", f"The address of the tool “{tool.name}” holds a password or a key.")
    if (message := schema_error(tool)) is not None:
        yield Problem(f"{path}.parameters", f"The parameters of the tool “{tool.name}” are not JSON Schema: {message}.")
    for header, value in tool.headers.items():
        if is_secret_header(header, value):
            message = (
                f"The header “{header}” of the tool “{tool.name}” holds a secret. Write {{{{secret:NAME}}}} instead."
            )
            yield Problem(f"{path}.headers", message)
    if not tool.description.strip():
        message = f"The tool “{tool.name}” has no description, so the model has to guess when to call it."
        yield Problem(f"{path}.description", message, is_blocking=False)


def schema_error(tool: Tool) -> str | None:
    """Why the parameters of a tool are not JSON Schema (2020-12), None when they are."""
    return _schema_error(json.dumps(tool.parameters))


@lru_cache(maxsize=500)
def _schema_error(text: str) -> str | None:
    """Remembered: checking a schema costs more than everything else that is checked about a tool."""
    try:
        Draft202012Validator.check_schema(json.loads(text))
    except SchemaError as error:
        place = ".".join(str(step) for step in error.absolute_path)
        return f"{error.message[:300]}{f' (at {place})' if place else ''}"
    return None


def _analysis_problems(configuration: AgentConfiguration) -> Iterator[Problem]:
    for field in configuration.call_analysis.fields:
        if field.type == "choice" and len(field.choices) < 2:
            path = join(("call_analysis", "fields", ItemKey(field.name), "choices"))
            yield Problem(path, f"The analysis field “{field.name}” is a choice and needs at least two choices.")


def _workflow_problems(configuration: AgentConfiguration) -> Iterator[Problem]:
    nodes = {node.id for node in configuration.workflow.nodes}
    if configuration.kind == "workflow" and not nodes:
        yield Problem("workflow.nodes", "The workflow has no node. Add one, or make this a single-prompt agent.")
    for edge in configuration.workflow.edges:
        for end, words in ((edge.source, "comes from"), (edge.target, "goes to")):
            if end not in nodes:
                path = join(("workflow", "edges", ItemKey(edge.id)))
                yield Problem(path, f"The workflow edge “{edge.id}” {words} “{end}”, and there is no such node.")


def _prompt_warnings(configuration: AgentConfiguration) -> Iterator[Problem]:
    defined = {variable.name for variable in configuration.variables} | PLATFORM_VARIABLES
    for path, text in prompts_of(configuration).items():
        if looks_like_key(text):
            yield Problem(path, "This text seems to hold a key or a password. Take it out.", is_blocking=False)
        for name in dict.fromkeys(VARIABLE.findall(text)):
            if name not in defined:
                message = f"Nothing defines {{{{{name}}}}}. Add it to the variables, or callers may hear the braces."
                yield Problem(path, message, is_blocking=False)
