"""What lesson 4 asks."""

from recipe.lessons.questions import Choice, Number, Prediction

memory = Number(
    text="A table says of 25,000 reviews which of 10,000 words occur in each. How many megabytes, of a million bytes, "
    "does it take as `float32`?",
    tip="One number for each review and word, and four bytes for each number.",
    value=1_000,
    tolerance=50,
    reason="25,000 x 10,000 x 4 bytes. As `uint8` it is 250, and tells the same: keep data small, cast it when needed.",
)
raw = Prediction(
    claim="raw_pixels_saturate_softmax",
    text="A network with a softmax learns from grey levels of 0 to 255, and another one from 0 to 1. What differs?",
    tip="What is the softmax of 300 and -200? Which step could training take from there?",
    right="b",
    a=("Nothing: weights of another size make up for it", "They could. But training must get there, by gradients."),
    b=("From 0 to 255 it reads clearly fewer digits", "Its probabilities are 0 and 1 from the start, without a slope."),
    c=("From 0 to 255 it reads more, as the inputs are stronger", "Stronger inputs only make it surer, of nothing."),
)
rule = Choice(
    text="The validation part is to judge. What may be learned from it and the training part together?",
    tip="Would it still be unseen?",
    right="d",
    a=("The mean of a column", "It may change little; but a rule without exceptions is easier to keep."),
    b=("The vocabulary of the texts", "New texts have words that nobody has seen; so may those of validation."),
    c=("Which columns are kept", "That is the worst of all: a column may fit the validation targets by luck."),
    d=("Nothing", "Whatever is learned from data, a median or a choice, comes from the training part alone."),
)
words = Prediction(
    claim="hand_columns_win_on_few",
    text="Twenty reviews to learn from: two counts of words that we chose, or all words. Which is right more often?",
    tip="How often does a word such as *superb* stand in twenty reviews?",
    right="a",
    a=("The two counts", "What the words mean need not be learned, only which of the two counts is the good one."),
    b=("All words", "With thousands of reviews, yes. Of twenty it learns names and chance."),
    c=("Both alike", "So it is with some number between 20 and 1,000, where the two curves cross."),
)
