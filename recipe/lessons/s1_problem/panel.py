"""Step 1's panel: choose what is predicted from what, and see which type of problem that makes."""

from __future__ import annotations

import threading
import typing
from dataclasses import dataclass

import ipywidgets as widgets
import traitlets

from recipe.core.dataset import Dataset
from recipe.lessons.s1_problem.framing import (
    COLUMN_UNITS,
    TARGETS,
    Framing,
    check_inputs,
    frame_problem,
    input_columns,
)
from recipe.ui.controls import make_controls
from recipe.ui.panel import OnProgress, Panel
from recipe.ui.settings import Settings, setting
from recipe.ui.texts import SOURCES

if typing.TYPE_CHECKING:
    from matplotlib.figure import Figure

DATA = {"digits (MNIST)": "mnist", "film reviews (IMDB)": "imdb", "houses (California)": "housing"}
ROWS = {"50": 50, "100": 100, "300": 300, "1,000": 1_000, "3,000": 3_000, "10,000": 10_000, "all": 0}
_USUAL = {data: next(iter(targets)) for data, targets in TARGETS.items()}


@dataclass(frozen=True, kw_only=True)
class ProblemSettings(Settings):
    """What the panel asks: `inputs` empty means every column that is not the target, `rows` 0 all there are."""

    data: str = setting("mnist", choices=DATA)
    target: str = setting("digit", help="What is to be predicted.")
    inputs: tuple[str, ...] = setting((), label="input", help="The columns that it is to be predicted from.")
    rows: int = setting(1_000, choices=ROWS, help="How many training samples are looked at, drawn at random.")

    draw: int = setting(1, low=1, high=20, help="Draw other rows: what changes now is chance.")

    def __post_init__(self) -> None:
        super().__post_init__()
        chosen = check_inputs(self.data, self.target, self.inputs)
        # One question has one form: all columns are no choice, and their order is the table's.
        canonical = () if chosen == input_columns(self.data, self.target) else chosen
        object.__setattr__(self, "inputs", canonical)

    def replace(self, **changes: object) -> typing.Self:
        """Return a copy with these fields changed; other data comes with its own usual target and all inputs."""
        if changes.get("data", self.data) != self.data:
            changes = {"target": _USUAL.get(changes["data"], ""), "inputs": ()} | changes
        elif changes.get("target", self.target) != self.target:
            changes = {"inputs": ()} | changes
        return super().replace(**changes)

    @classmethod
    def from_text(cls, text: str) -> typing.Self:
        """Make settings from what `to_text` returned."""
        if "target=" not in text and "data=" in text:
            data = next(part.removeprefix("data=") for part in text.split("&") if part.startswith("data="))
            text += f"&target={_USUAL.get(data, '')}"
        return super().from_text(text)


class ColumnPicker(widgets.VBox):
    """A check box a column, in `boxes`; its `value` is the columns that are chosen, empty where it is all of them."""

    value = traitlets.Tuple()

    def __init__(self, **layout: typing.Any) -> None:
        self.boxes = {
            name: widgets.Checkbox(description=name, indent=False, layout=widgets.Layout(width="auto", margin="0"))
            for name in COLUMN_UNITS
        }
        two_abreast = widgets.Layout(grid_template_columns="repeat(auto-fit, minmax(165px, 1fr))", width="100%")
        grid = widgets.GridBox(list(self.boxes.values()), layout=two_abreast)
        super().__init__([widgets.Label("input columns"), grid], **layout)
        self._allowed: tuple[str, ...] = ()
        self._writing = False
        for box in self.boxes.values():
            box.observe(self._on_tick, names="value")
        self.observe(lambda change: self._write(), names="value")

    def offer(self, allowed: tuple[str, ...]) -> None:
        """Let these columns be chosen, all of them at first; with none to choose from the picker is hidden."""
        self._allowed = tuple(name for name in allowed if name in self.boxes)
        self.layout.display = "flex" if self._allowed else "none"
        self.value = ()
        self._write()

    def _write(self) -> None:
        chosen = self.value or self._allowed
        self._writing = True
        for name, box in self.boxes.items():
            box.value = name in chosen
            # The last column that is left stays: a problem needs an input.
            box.disabled = name not in self._allowed or tuple(chosen) == (name,)
        self._writing = False

    def _on_tick(self, change: object) -> None:
        if not self._writing:
            chosen = tuple(name for name in self._allowed if self.boxes[name].value)
            self.value = () if chosen == self._allowed else chosen


class ProblemPanel(Panel):
    """Choose the data, the target, the input and the rows: type, last layer, balance and guess follow at once.

    Parameters
    ----------
    *datasets : of ``load("mnist")``, ``load("imdb")`` and ``load("housing")``; one of them may do
    **settings : fields of `ProblemSettings`

    Raises
    ------
    ValueError
        If no dataset is given, or the one that is asked for is not among them.
    """

    title = "What is predicted, from what?"
    settings_type = ProblemSettings
    live = True
    figure_size = (7.4, 5.4)

    def __init__(self, *datasets: Dataset, **settings: object) -> None:
        self._by_name = {dataset.problem.name: dataset for dataset in datasets}
        if not datasets:
            raise ValueError("There is nothing to look at. Received: no dataset. Pass load('mnist') or another.")
        settings = {"data": next(iter(self._by_name))} | settings
        super().__init__(*datasets, **settings)

    def make_controls(self, settings: ProblemSettings) -> dict[str, widgets.Widget]:
        wide, style = widgets.Layout(width="auto"), {"description_width": "7ch"}
        offered = [(label, name) for label, name in DATA.items() if name in self._by_name]
        data = widgets.Dropdown(options=offered, value=settings.data, description="data", style=style, layout=wide)
        target = widgets.Dropdown(description="target", style=style, layout=wide, options=_targets(settings.data))
        rows = widgets.SelectionSlider(
            options=list(ROWS.items()), value=settings.rows, description="rows", style=style, layout=wide
        )
        draw = make_controls(settings, ("draw",))["draw"]
        draw.style.description_width = style["description_width"]
        picker = ColumnPicker()
        target.value = settings.target
        _offer(picker, data.value, target.value)
        picker.value = settings.inputs

        def follow_data(change: object) -> None:
            target.options = _targets(data.value)  # which chooses the first of them
            _offer(picker, data.value, target.value)

        data.observe(follow_data, names="value")
        target.observe(lambda change: _offer(picker, data.value, target.value), names="value")
        return {"data": data, "target": target, "inputs": picker, "rows": rows, "draw": draw}

    def source_text(self) -> str:
        """One line a source: three descriptions would push the figure off the screen."""
        by_source: dict[str, list[str]] = {}
        for name, dataset in self._by_name.items():
            by_source.setdefault(dataset.source, []).append(name)
        return "\n".join(f"{', '.join(names)}: {SOURCES[source]}." for source, names in by_source.items())

    def compute(self, settings: ProblemSettings, on_progress: OnProgress, stop: threading.Event) -> Framing:
        return frame_problem(
            self._by_name[settings.data],
            target=settings.target,
            inputs=settings.inputs,
            rows=settings.rows or None,
            seed=settings.draw,
        )

    def draw(self, figure: Figure, result: Framing) -> None:
        from recipe.lessons.s1_problem.figures import draw_framing

        draw_framing(figure, result)

    def describe(self, result: Framing) -> str:
        from recipe.lessons.s1_problem.figures import describe_framing

        return describe_framing(result)

    def rows(self, result: Framing) -> list[dict[str, object]]:
        """A row a class or label with its share; a row a column of the target where it is a quantity."""
        description = result.description
        if description.shares:
            pairs = zip(description.problem.output_names, description.shares, strict=True)
            return [{"target": name, "share": share} for name, share in pairs]
        columns = description.targets.reshape(len(description.targets), -1)
        return [
            {"target": name, "lowest": float(y.min()), "guess": float(guess), "highest": float(y.max())}
            for name, y, guess in zip(
                description.problem.output_names, columns.T, description.baseline.outputs[0], strict=True
            )
        ]

    def summarise(self, result: Framing) -> str:
        return f"{result.question} {result.description.problem.type.capitalize()}: {result.description.reason}"


def _targets(data: str) -> list[tuple[str, str]]:
    return [(words, name) for name, words in TARGETS[data].items()]


def _offer(picker: ColumnPicker, data: str, target: str) -> None:
    if target in TARGETS[data]:  # in between, while the data has changed and the target not yet, there is nothing
        picker.offer(input_columns(data, target) if data == "housing" else ())
