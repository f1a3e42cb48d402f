"""Step 6's small panel: two errors and what can be reached, and what they say of bias and variance."""

from __future__ import annotations

import threading
import typing
from collections.abc import Mapping
from dataclasses import dataclass

import ipywidgets as widgets

from recipe.steps.s6_scale_up import ErrorDiagnosis, diagnose_errors, show_percent
from recipe.ui.controls import make_controls
from recipe.ui.panel import OnProgress, Panel
from recipe.ui.settings import Settings, setting

if typing.TYPE_CHECKING:
    from matplotlib.figure import Figure

# Half points up to 5 %, whole ones up to 50 %.
ERRORS = tuple(thousandths / 1000 for thousandths in (*range(0, 50, 5), *range(50, 510, 10)))


@dataclass(frozen=True, kw_only=True)
class ErrorsSettings(Settings):
    """What the panel's controls say, as shares; the first textbook case at first."""

    training: float = setting(0.01, label="training error", low=0.0, high=0.5, help="Share of wrong answers.")
    validation: float = setting(0.11, label="validation error", low=0.0, high=0.5, help="Measured like the other.")
    reachable: float = setting(0.0, label="reachable error", low=0.0, high=0.5, help="What people reach, say.")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.names():
            if getattr(self, name) not in ERRORS:
                raise ValueError(
                    f"The sliders move in half points up to 5 %, then in whole ones. Received: {name}="
                    f"{getattr(self, name)!r}. Give a share such as 0.05; recipe.diagnose_errors takes any."
                )


class ErrorsPanel(Panel):
    """Bias and variance from three errors, on the plane with the textbook's cases and one's own runs.

    Parameters
    ----------
    runs : (training error, validation error) of one's own runs, by their names
    **settings : fields of `ErrorsSettings`
    """

    title = "Bias and variance from three numbers"
    settings_type = ErrorsSettings
    live = True
    figure_size = (7.0, 4.4)

    def __init__(self, runs: Mapping[str, tuple[float, float]] | None = None, **settings: object) -> None:
        self.runs = dict(runs or {})
        super().__init__(**settings)

    def make_controls(self, settings: ErrorsSettings) -> dict[str, widgets.Widget]:
        """Sliders over a list of values, each shown in per cent."""
        return {
            name: widgets.SelectionSlider(
                options=[(show_percent(error), error) for error in ERRORS],
                value=getattr(settings, name),
                description=control.description,
                tooltip=control.tooltip,
                style=control.style,
                layout=widgets.Layout(width="100%"),
            )
            for name, control in make_controls(settings).items()
        }

    def compute(self, settings: ErrorsSettings, on_progress: OnProgress, stop: threading.Event) -> ErrorDiagnosis:
        """Diagnose the three errors."""
        return diagnose_errors(settings.training, settings.validation, settings.reachable)

    def draw(self, figure: Figure, result: ErrorDiagnosis) -> None:
        """The plane, with a star where the sliders are."""
        from recipe.lessons.s6_scale_up.figures import draw_errors

        draw_errors(self.runs, **self._point(result), axes=figure.subplots())

    def describe(self, result: ErrorDiagnosis) -> str:
        """The diagnosis, and those of all other points."""
        from recipe.lessons.s6_scale_up.figures import describe_errors

        return f"{result.sentence} {describe_errors(self.runs, **self._point(result))}"

    def rows(self, result: ErrorDiagnosis) -> list[dict[str, object]]:
        """The sliders, then one's own runs and the textbook's cases, all with this reachable error."""
        from recipe.lessons.s6_scale_up.figures import TEXTBOOK_CASES

        points = {"the sliders": (result.train_error, result.validation_error), **self.runs, **TEXTBOOK_CASES}
        found = {name: diagnose_errors(*point, result.reachable_error) for name, point in points.items()}
        return [
            {
                "name": name,
                "training error": one.train_error,
                "validation error": one.validation_error,
                "bias": one.bias,
                "variance": one.variance,
            }
            for name, one in found.items()
        ]

    def summarise(self, result: ErrorDiagnosis) -> str:
        """The diagnosis in a sentence."""
        return result.sentence

    @staticmethod
    def _point(result: ErrorDiagnosis) -> dict[str, object]:
        chosen = (result.train_error, result.validation_error)
        return {"chosen": chosen, "reachable_error": result.reachable_error}
