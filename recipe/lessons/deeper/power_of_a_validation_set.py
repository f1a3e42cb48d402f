"""What "The power of a validation set" asks."""

from recipe.lessons.questions import Prediction

sizes = Prediction(
    claim="power_grows_with_samples",
    text="The network is better than the guess. On how many of 200 sets does the test show it, if each has 20 reviews, "
    "and if each has 200?",
    tip="By how much does a share of 20 reviews vary from set to set, and one of 200?",
    right="b",
    a=("On nearly all, either way", "A share of 20 varies by some ten points: what is true is often not seen."),
    b=("On a minority with 20, on nearly all with 200", "Noise falls with the root of the size; the difference stays."),
    c=("On a minority, either way", "200 reviews are enough for a difference of this size."),
)
