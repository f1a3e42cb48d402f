"""What "Learning curves and double descent" asks."""

from recipe.lessons.questions import Prediction

tenth = Prediction(
    claim="a_tenth_generalizes_less",
    text="The same network learns from a tenth of the samples, for as many steps. What becomes of its two errors?",
    tip="Is it easier or harder to learn fewer samples by heart?",
    right="b",
    a=("Both rise", "Few samples are easier to fit than many, so that training does not get worse."),
    b=("Training stays low, validation rises", "Fewer samples are learned by heart at least as well, and tell less."),
    c=("Both fall", "What is learned by heart does not carry over to other samples."),
)
closer = Prediction(
    claim="small_curves_meet",
    text="Two networks learn from 1,000 districts. For which of them do training and validation error lie closer?",
    tip="Which of them has room to learn districts by heart?",
    right="a",
    a=("2 units", "It cannot fit its own districts much better than others: the curves meet, at a high error."),
    b=("64-64 units", "It has room for much of what is true of its own districts alone, so a gap is left."),
    c=("For both alike", "The gap is the variance, and that grows with the capacity."),
)
peak = Prediction(
    claim="error_peaks_where_all_samples_are_just_fitted",
    text="100 samples, and from 10 to 3,000 random units. Where is the validation error largest?",
    tip="Where is there exactly one way to fit every sample?",
    right="b",
    a=("At 10 units", "They underfit, but they cannot go wild either."),
    b=("At 100 units", "One solution fits all samples and their noise, and it is taken however wild it is."),
    c=("At 3,000 units", "Many solutions fit there, and the one with the smallest weights is smooth."),
)
