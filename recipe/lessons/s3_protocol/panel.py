"""Step 3's panel: a whole evaluation, again and again on few rows, and each report against the truth."""

from __future__ import annotations

import dataclasses
import threading
import typing
from dataclasses import dataclass

from recipe.core.dataset import Dataset
from recipe.data.load import load
from recipe.lessons.s3_protocol.study import PROTOCOLS, ProtocolStudy, study_protocols
from recipe.ui.panel import OnProgress, Panel
from recipe.ui.settings import Settings, setting

if typing.TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class ProtocolSettings(Settings):
    """What the panel's controls say."""

    protocol: str = setting(
        "K-fold",
        label="protocol",
        choices=PROTOCOLS,
        help="How the rows are judged on.",
    )
    folds: int = setting(4, label="K (folds)", low=2, high=10, help="Hold-out keeps one of K parts.")
    repeats: int = setting(3, label="repetitions", low=2, high=10, help="Of iterated K-fold; the others ignore it.")
    rows: int = setting(200, label="rows", low=40, high=800, step=20, help="All that the protocol has.")
    draws: int = setting(20, label="times", low=5, high=60, step=5, help="How often the whole procedure is done.")
    redraw: str = setting(
        "rows",
        label="new each time",
        choices={"the rows": "rows", "only the cut": "cut"},
        help="Other rows each time, or the same rows cut and shuffled anew.",
    )


class ProtocolPanel(Panel):
    """The distribution of the score that a protocol reports, against the score on a very large held-out part.

    Parameters
    ----------
    dataset : None loads all of the housing data
    **settings : fields of `ProtocolSettings`
    """

    title = "Decide on a protocol: what it reports, and what is true"
    settings_type = ProtocolSettings
    figure_size = (7.0, 3.8)

    def __init__(self, dataset: Dataset | None = None, **settings: object) -> None:
        super().__init__(dataset or load("housing"), **settings)

    def compute(self, settings: ProtocolSettings, on_progress: OnProgress, stop: threading.Event) -> object:
        """Train and judge; of a run that is stopped, the repetitions that are complete."""
        options = dataclasses.asdict(settings)
        (study,) = study_protocols(
            self.datasets[0],
            (options.pop("protocol"),),
            **options,
            on_progress=lambda studies, message: on_progress(studies and studies[0], message),
            stop=stop,
        )
        return study if study.draws else None

    def draw(self, figure: Figure, result: ProtocolStudy) -> None:
        """The reports as dots on one line, the truth on the other."""
        from recipe.lessons.s3_protocol.figures import draw_studies

        draw_studies([result], axes=figure.add_subplot())

    def describe(self, result: ProtocolStudy) -> str:
        """The reports and the truth in words."""
        from recipe.lessons.s3_protocol.figures import describe_studies

        return describe_studies([result])

    def rows(self, result: ProtocolStudy) -> list[dict[str, object]]:
        """A row for each repetition."""
        return [
            {"repetition": number + 1, "reported": round(float(reported), 4), "truth": round(float(truth), 4)}
            for number, (reported, truth) in enumerate(zip(result.reported, result.truth, strict=True))
        ]

    def summarise(self, result: ProtocolStudy) -> str:
        """How many models that took, and by how much a report misses."""
        unit = f" {result.unit}" if result.unit else ""
        return (
            f"{result.models} models. A report is {result.std:.3f} above or below the mean of all reports, and "
            f"misses the truth by {result.miss:.3f}{unit}."
        )
