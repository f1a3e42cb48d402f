"""What lesson 1 asks."""

from recipe.lessons.questions import Choice, Number, Prediction

certain = Number(
    text="Of 100 patients with exactly the same symptoms 70 have the illness. A model sees the symptoms alone. On how "
    "many of the 100 is the best possible model wrong?",
    tip="Equal inputs get equal answers.",
    value=30,
    reason="It says *ill* of all 100, and is wrong on 30: the Bayes error. Only another column could lower it.",
)
majority = Prediction(
    claim="majority_errs_less",
    text="Three people label each sample, each wrong on one in ten, independently of the others; the majority decides. "
    "How many labels are wrong?",
    tip="Two of the three, or all of them, have to err on the same sample.",
    right="b",
    a=("One in ten, as before", "Where one errs the two others mostly do not, and outvote them."),
    b=("About three in a hundred", "Two of three err on 2.7 % of the samples, all three on 0.1 %."),
    c=("One in a thousand", "So often all three err; but two are enough."),
)
kind = Choice(
    text="A network is to tell how many children, 0 to 9, live in a household. Which last layer?",
    tip="Is 4 closer to 5 than to 9?",
    right="b",
    a=("10 units, softmax", "That treats 0 to 9 as names: to say 9 instead of 4 would be no worse than to say 5."),
    b=("1 unit, no activation", "A count is a quantity: regression. The array alone does not say so; a person has to."),
    c=("1 unit, sigmoid", "Its output lies between 0 and 1, and cannot say 4."),
)
by_heart = Prediction(
    claim="shuffled_reviews_are_learned_by_heart",
    text="The labels of the reviews are handed out anew, at random. How often is a network wrong on the *training* "
    "reviews?",
    tip="Each review has words that hardly any other has.",
    right="a",
    a=("Hardly ever", "It learns by heart which review got which label; that says nothing about any other."),
    b=("As often as a guess", "So it is on *other* reviews: nothing can be known of them."),
    c=("More often than a guess", "Training follows the loss downhill on these very reviews."),
)
january = Prediction(
    claim="swimwear_is_left_over",
    text="A network learned in August what a shop sells. What will it order too much of for January?",
    tip="What did the shop sell in August?",
    right="a",
    a=("Swimwear", "Light clothes sold well in August, and the network has never seen another month."),
    b=("Coats", "They sold badly in August: of them it orders too few."),
    c=("Neither", "It has no column for the month: to the network January is August."),
)
