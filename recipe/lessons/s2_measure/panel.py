"""Step 2's panel: is it a 5? One network, trained once; the threshold and the class balance are for the reader."""

from __future__ import annotations

import dataclasses
import threading
import typing
from dataclasses import dataclass
from types import MappingProxyType

import ipywidgets as widgets
import numpy as np

from recipe.core.dataset import Dataset
from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.lessons.s2_measure.study import ThresholdReport, judge_threshold, score_held_out
from recipe.ui.controls import make_controls
from recipe.ui.panel import OnProgress, Panel
from recipe.ui.settings import Settings, setting

if typing.TYPE_CHECKING:
    from matplotlib.figure import Figure

ROWS = 20_000  # of MNIST: half of the training part to learn from, half with some 770 fives to judge on
NETWORKS = MappingProxyType(
    {
        "linear": ModelSpec(architecture="linear", learning_rate=0.003, batch_size=32, epochs=30),
        "hidden": ModelSpec(hidden_units=(32,), batch_size=32, epochs=15),
    }
)


THRESHOLDS = tuple(round(hundredths / 100, 2) for hundredths in range(1, 100))
SHARES = MappingProxyType({f"{share:.0%}": share for share in (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)})


@dataclass(frozen=True, kw_only=True)
class MeasureSettings(Settings):
    """What the panel's controls say; the threshold moves in hundredths."""

    threshold: float = setting(0.5, label="threshold", low=0.01, high=0.99)
    share: float = setting(0.1, label="share of yes", choices=SHARES)
    network: str = setting(
        "linear",
        label="network",
        choices={"no hidden layer": "linear", "32 hidden units": "hidden"},
        help="Each is trained once, when it is first asked for.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.threshold not in THRESHOLDS:
            raise ValueError(
                f"The threshold moves in hundredths. Received: threshold={self.threshold!r}. "
                f"Give {self.threshold:.2f}; judge_threshold takes any."
            )


class MeasurePanel(Panel):
    """Confusion matrix, precision-recall curve, and "never a yes" beside the network.

    Parameters
    ----------
    dataset : of a yes-or-no problem; None loads 20,000 images and asks whether they are a 5
    **settings : fields of `MeasureSettings`
    """

    title = "Choose a measure: threshold and class balance"
    settings_type = MeasureSettings
    live = True
    figure_size = (7.4, 4.9)

    def __init__(self, dataset: Dataset | None = None, **settings: object) -> None:
        self._scored: dict[str, tuple[np.ndarray, np.ndarray]] = {}  # by the name of the network
        super().__init__(dataset or load("mnist_five", rows=ROWS), **settings)

    def make_controls(self, settings: MeasureSettings) -> dict[str, widgets.Widget]:
        """Sliders over a list of values: they send its index, where a float slider would send 0.0999999."""
        controls = make_controls(settings)
        for name, options, tip in (
            ("threshold", [(f"{threshold:.2f}", threshold) for threshold in THRESHOLDS], "A score above it is a yes."),
            ("share", list(SHARES.items()), "Of the held-out samples that are judged."),
        ):
            controls[name] = widgets.SelectionSlider(
                options=options,
                value=getattr(settings, name),
                description=controls[name].description,
                tooltip=tip,
                style={"description_width": controls["network"].style.description_width},
                layout=widgets.Layout(width="100%"),
            )
        return controls

    def compute(self, settings: MeasureSettings, on_progress: OnProgress, stop: threading.Event) -> ThresholdReport:
        """Train the network if that was not done yet, and judge its scores."""
        scored = self._scored.get(settings.network)
        if scored is None:
            on_progress(None, "Training the network, once ...")
            scored = score_held_out(self.datasets[0], NETWORKS[settings.network], stop=stop)
            if not stop.is_set():  # half-trained scores are shown, not kept
                self._scored[settings.network] = scored
        return judge_threshold(*scored, threshold=settings.threshold, share=settings.share)

    def draw(self, figure: Figure, result: ThresholdReport) -> None:
        """Two confusion matrices on the left, the precision-recall curve on the right."""
        from recipe.lessons.s2_measure.figures import draw_threshold_report

        (dataset,) = self.datasets
        draw_threshold_report(figure, result, dataset.problem.output_names, source=dataset.source)

    def describe(self, result: ThresholdReport) -> str:
        """The counts and measures in words."""
        from recipe.lessons.s2_measure.figures import describe_threshold_report

        return describe_threshold_report(result, self.datasets[0].problem.output_names)

    def rows(self, result: ThresholdReport) -> list[dict[str, object]]:
        """A row for the network and one for "never"."""
        measures = ("accuracy", "precision", "recall", "f1")
        return [
            {"model": name}
            | {measure: round(getattr(counted, measure), 4) for measure in measures}
            | dataclasses.asdict(counted)
            for name, counted in (("network", result.model), ("never", result.never))
        ]

    def summarise(self, result: ThresholdReport) -> str:
        """Who has the higher accuracy, and the higher F1."""
        model, never = result.model, result.never
        return (
            f"Accuracy: network {model.accuracy:.1%}, never {never.accuracy:.1%}. "
            f"F1: network {model.f1:.2f}, never {never.f1:.2f}."
        )
