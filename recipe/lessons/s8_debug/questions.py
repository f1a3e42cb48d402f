"""What lesson 8 asks."""

from recipe.lessons.questions import Number, Prediction

dead_units = Prediction(
    claim="dead_units_learn_no_batch",
    text="All biases begin at -10, so that no relu puts out anything but 0. What does the loss of one batch do?",
    tip="What gradient does a relu pass back where its input is negative?",
    right="b",
    a=("It goes to 0, only later", "A relu that is off passes no gradient back: it stays off, however long one waits."),
    b=("It stays near that of a constant answer", "Only the last biases learn: how frequent each class is."),
    c=("It explodes", "Nothing becomes large: the outputs depend on ten biases alone."),
)
mismatched = Prediction(
    claim="mismatched_rows_teach_no_more",
    text="The labels slipped by one row against their images. Which check fails?",
    tip="Which of them asks about samples that were not trained on?",
    right="c",
    a=("The loss at initialization", "Fresh weights know nothing of wrong labels, either: ln 10."),
    b=("One batch to zero", "Thirty-two wrong labels are learned by heart as well as right ones."),
    c=("Labels as they are against shuffled ones", "Both teach nothing about new images, and so do equally badly."),
)
valley = Prediction(
    claim="rates_have_a_valley",
    text="The rate grows from 0.00001 to 10. How does the training loss after three epochs go?",
    tip="What does a step of nearly nothing change, and what one that jumps over every valley?",
    right="b",
    a=("It falls steadily", "From some rate on a step jumps further up than it came down."),
    b=("It falls, then rises", "Slope, valley, cliff."),
    c=("It rises steadily", "So short a training hardly moves at the lowest rates."),
)
alarm = Number(
    text="Of 100 pipelines 10 are broken, and all 10 fail a check; of the 90 sound ones 2 do. A check fails: with what "
    "probability, in percent, is something broken?",
    tip="Count those that fail a check.",
    value=83.3,
    tolerance=1,
    reason="Twelve fail a check, and ten of them are broken.",
)
