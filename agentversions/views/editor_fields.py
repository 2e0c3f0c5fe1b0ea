"""The editor's tab as its templates show it: each control with its mark, its problems and what was refused."""

from dataclasses import dataclass

from agentversions.core.configuration import Tab
from agentversions.core.controls import Control, Group, Item, ItemList, control_path_of, lay_out
from agentversions.core.graph_layout import GraphEdge, GraphNode, Layout, layout
from agentversions.core.paths import label_of, split
from agentversions.core.problems import Problem
from agentversions.core.token_estimate import estimate_tokens
from agentversions.core.typed_values import LinedError

from .editor_state import EditorState

PICKERS = {"tools": "agentversions:tool_pick_dialog", "knowledge_bases": "agentversions:knowledge_pick_dialog"}
"""Lists that are filled from a library, and the dialog that does it."""


@dataclass(frozen=True)
class FieldView:
    """One control as it is shown; `text` is what was typed when that was refused."""

    control: Control
    text: str
    is_changed: bool
    problems: tuple[Problem, ...]
    error: LinedError | None

    @property
    def token_count(self) -> int:
        """The estimated length of a prompt."""
        return estimate_tokens(self.text)


@dataclass(frozen=True)
class ItemView:
    """One item of a list: new, changed or as before, with its fields."""

    item: Item
    mark: str
    fields: tuple[FieldView, ...]
    problems: tuple[Problem, ...]
    is_open: bool
    is_first: bool
    is_last: bool

    @property
    def needs_attention(self) -> bool:
        """Whether something in it was refused or blocks publishing."""
        problems = (*self.problems, *(problem for field in self.fields for problem in field.problems))
        return any(problem.is_blocking for problem in problems) or any(field.error for field in self.fields)


@dataclass(frozen=True)
class BlockView:
    """A group of fields, or a list of items with what the latest version had and the draft has not."""

    label: str
    fields: tuple[FieldView, ...] = ()
    items: tuple[ItemView, ...] = ()
    path: str = ""
    key: str = ""
    key_label: str = ""
    picker: str = ""
    removed: tuple[tuple[str, str], ...] = ()
    is_reordered: bool = False
    error: LinedError | None = None


@dataclass(frozen=True)
class TabView:
    """All blocks of a tab, what was refused without a field to show it at, and the workflow's picture."""

    tab: Tab
    blocks: tuple[BlockView, ...]
    errors: tuple[LinedError, ...]
    graph: Layout | None


def view_tab(
    tab: Tab, state: EditorState, *, typed: dict[str, str] | None = None, errors: tuple[LinedError, ...] = ()
) -> TabView:
    """The tab with its marks; `typed` and `errors` show a refused form again as it was sent."""
    builder = _Builder(state, typed or {}, {error.path: error for error in reversed(errors)})
    blocks = tuple(
        builder.list_block(block) if isinstance(block, ItemList) else builder.group_block(block)
        for block in lay_out(tab, state.document)
    )
    unplaced = tuple(error for error in errors if error.path not in builder.placed)
    return TabView(tab, blocks, unplaced, draw_workflow(state) if tab.key == "workflow" else None)


def draw_workflow(state: EditorState) -> Layout:
    """The draft's workflow as a picture."""
    workflow = state.content.workflow
    nodes = [GraphNode(node.id, node.label or node.id, node.type) for node in workflow.nodes]
    edges = [GraphEdge(edge.id, edge.source, edge.target, edge.condition) for edge in workflow.edges]
    return layout(nodes, edges)


class _Builder:
    """Puts marks, problems and errors at the controls they belong to."""

    def __init__(self, state: EditorState, typed: dict[str, str], errors: dict[str, LinedError]) -> None:
        self.state, self.typed, self.errors = state, typed, errors
        self.placed: set[str] = set()
        self.problems: dict[str, list[Problem]] = {}
        for problem in state.problems:
            self.problems.setdefault(control_path_of(problem.path), []).append(problem)

    def group_block(self, group: Group) -> BlockView:
        return BlockView(group.label, self._fields(group.controls))

    def list_block(self, block: ItemList) -> BlockView:
        self.placed.add(block.path)
        last = len(block.items) - 1
        items = tuple(self._item(item, index == 0, index == last, last < 2) for index, item in enumerate(block.items))
        return BlockView(
            block.label,
            items=items,
            path=block.path,
            key=block.key,
            key_label=block.key_label,
            picker=PICKERS.get(block.path, ""),
            removed=self._removed(block),
            is_reordered=block.path in self.state.changed,
            error=self.errors.get(block.path),
        )

    def _item(self, item: Item, is_first: bool, is_last: bool, is_short_list: bool) -> ItemView:
        self.placed.add(item.path)
        fields, problems = self._fields(item.controls), tuple(self.problems.get(item.path, ()))
        mark = self.state.changed.get(item.path, "")
        view = ItemView(item, mark, fields, problems, False, is_first, is_last)
        is_open = is_short_list or view.needs_attention or item.path in self.typed
        return ItemView(item, mark, fields, problems, is_open, is_first, is_last)

    def _fields(self, controls: tuple[Control, ...]) -> tuple[FieldView, ...]:
        self.placed.update(control.path for control in controls)
        return tuple(
            FieldView(
                control=control,
                text=self.typed.get(control.path, control.text),
                is_changed=control.path in self.state.changed,
                problems=tuple(self.problems.get(control.path, ())),
                error=self.errors.get(control.path),
            )
            for control in controls
        )

    def _removed(self, block: ItemList) -> tuple[tuple[str, str], ...]:
        paths = [path for path, kind in self.state.changed.items() if kind == "removed"]
        steps = split(block.path)
        return tuple((path, label_of(path)) for path in paths if split(path)[:-1] == steps)
