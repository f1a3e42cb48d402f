"""Make the figure of the README from a real run: `python tools/readme_figure.py`, with the real data at hand."""

from __future__ import annotations

from pathlib import Path

from recipe import figures as plots
from recipe.app.late_steps import ScaleStep
from recipe.app.workflow import run_recipe
from recipe.core.measures import MEASURES

TARGET = Path(__file__).parent.parent / "docs" / "recipe-run.png"


def main() -> None:
    """Run the workflow on MNIST and draw where it overfits, beside the way from a guess to the test set."""
    result = run_recipe("mnist", source="local")
    measure, scale = MEASURES[result.problem.measure], result.find(ScaleStep)
    trial, lines = scale.trials[-1], result.lines
    figure, (left, right) = plots.new_figure(2, width=5.4, height=3.4)
    plots.draw_training_curves(
        trial.history["data_loss"],
        trial.history["val_data_loss"],
        quantity="data loss",
        best_epoch=trial.epoch,
        overfitting_epoch=trial.diagnosis.overfitting_epoch,
        title="Step 6: scale up until it overfits",
        axes=left,
    )
    plots.draw_scores(
        [f"{line.name}\n({line.part})" for line in lines],
        [line.score for line in lines],
        quantity=measure.title,
        higher_is_better=measure.higher_is_better,
        intervals=[line.interval for line in lines],
        on_test=[line.part == "test" for line in lines],
        title="From a guess to the test set",
        axes=right,
    )
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(plots.to_png(figure, dpi=110))
    print(f"{TARGET}: {result.problem.name}, {result.dataset.source}, {result.seconds:.0f} s")


if __name__ == "__main__":
    main()
