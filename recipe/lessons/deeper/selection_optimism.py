"""What "Selection optimism" asks."""

from recipe.lessons.questions import Prediction

chosen = Prediction(
    claim="optimism_grows_with_trials",
    text="Of thirty networks the best on 40 validation districts is chosen. How does its error there compare with its "
    "error on thousands of others?",
    tip="Why did this one come out best on just these 40?",
    right="a",
    a=("It flatters more than that of a single network", "Part of being best is luck with these 40 districts."),
    b=(
        "It is as honest as that of a single network",
        "One network was not chosen by its score; the best of thirty was.",
    ),
    c=("It is too modest", "Nobody is chosen for bad luck."),
)
