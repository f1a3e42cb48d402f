"""What lesson 7 asks."""

from recipe.lessons.questions import Choice, Prediction

compare = Choice(
    text="One network has an L2 penalty, another has none. Which numbers compare how well they predict?",
    tip="What is the penalty about: predictions, or weights?",
    right="c",
    a=("Their val_loss", "It contains the penalty, which the other network does not pay."),
    b=("Their training loss", "It contains the penalty, and is about the training part."),
    c=("Their data loss, or the measure, in validation", "Both are of the predictions alone, on new samples."),
)
zeros = Prediction(
    claim="no_weight_is_exactly_zero",
    text="L1 pulls weights to zero. Of the first layer's weights, how many are *exactly* zero after training?",
    tip="The optimizer's step is about as long as its learning rate. Does it land on a point?",
    right="a",
    a=("Next to none", "Steps lead to and fro over the zero: many weights are tiny, hardly any is zero."),
    b=("Most of them", "A solver made for L1, as in scikit-learn's Lasso, does that; gradient descent does not."),
)
data = Prediction(
    claim="more_data_gains_more_than_dropout",
    text="Twice the training samples, or dropout of a half: which lowers the validation error more?",
    tip="Which of them tells the network something new?",
    right="a",
    a=("Twice the samples", "Dropout cannot tell the network what 400 more digits tell it."),
    b=("Dropout", "It makes better use of the same samples, no more."),
)
best_of = Prediction(
    claim="best_of_thirty_flatters",
    text="Thirty networks, each truly right on 90 % of all digits, are judged by 100 digits. What does the best show?",
    tip="The standard error of one such score is three points. How far out is the best of thirty?",
    right="b",
    a=("About 90 %", "So it would be of one network, or on very many digits."),
    b=("About 95 %", "Some two standard errors too much, and all of it luck: every one of them is right on 90 %."),
    c=("About 99 %", "That is three standard errors: luck does not go so far in thirty draws."),
)
