"""Make the figure of the README from a real run: `python tools/readme_figure.py`, with the real data at hand."""

from __future__ import annotations

from pathlib import Path

from recipe.app.workflow import run_recipe
from recipe.figures import to_png
from recipe.figures.training import plot_runs

TARGET = Path(__file__).parent.parent / "docs" / "recipe-run.png"


def main() -> None:
    """Run the workflow on MNIST as far as step 6, and draw where it overfits."""
    result = run_recipe("mnist", source="local", on_event=_stop_after_step_6)
    run = [trial.run for trial in result.trials if trial.step == 6][-1]
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(to_png(plot_runs(run), dpi=110))
    print(f"{TARGET}: {result.problem.name}, {result.dataset.source}, {result.seconds:.0f} s")


def _stop_after_step_6(event: object) -> None:
    if getattr(event, "number", 0) > 6:
        raise KeyboardInterrupt


if __name__ == "__main__":
    main()
