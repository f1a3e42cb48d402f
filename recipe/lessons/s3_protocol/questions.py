"""What lesson 3 asks."""

from recipe.lessons.questions import Choice, Number, Prediction

protocols = Prediction(
    claim="hold_out_misses_most",
    text="Thirty teams own 200 districts each, all of them different. Whose reports miss the truth by the most?",
    tip="On how many districts does each report rest?",
    right="a",
    a=("Those of hold-out", "Each rests on 50 districts; K-fold judges on all 200, one fold after the other."),
    b=("Those of 4-fold", "Its report is a mean of four hold-outs, whose luck partly cancels."),
    c=("Those of iterated 4-fold", "To shuffle again can only even out more of the luck."),
)
again = Prediction(
    claim="iterating_steadies_the_same_rows",
    text="Now thirty teams share the *same* 200 districts, and each cuts anew. What does iterating add to 4-fold?",
    tip="What differs between two teams now?",
    right="b",
    a=("Nothing", "Nearly so it was with other districts each time. Now the cut is all that differs."),
    b=("Its reports agree better", "The cut is the only luck that is left, and iterating averages over cuts."),
    c=("Its reports come to lie around the truth", "What these 200 districts do not show, no cut can show."),
)
one_point = Number(
    text="A classifier is right on about 90 %. How many validation samples make the standard error 1 point (0.01)?",
    tip="Solve √(0.9 · 0.1 / n) = 0.01 for n.",
    value=900,
    tolerance=1,
    reason="0.09 / n = 0.0001. For half a point it takes four times as many.",
)
no_test = Choice(
    text='Of 30 networks a team keeps the best one on its only held-out part: "test accuracy 91 %". What is wrong?',
    tip="What did the held-out part decide?",
    right="c",
    a=("Nothing, no network was trained on it", "One was chosen by it: the winner is partly a lucky one."),
    b=("There must always be a test set", "A. Ng does without, where nobody needs an unbiased number."),
    c=("The word test", "It is a dev set, and its 91 % is too good by an unknown amount. A test set chooses nothing."),
)
phones = Choice(
    text="Of 210,000 pictures of cats 200,000 are from the web and 10,000 from the phones of the users to come. Which "
    "are for dev and test? (After A. Ng, *Machine Learning Yearning*.)",
    tip="Which pictures will the model be asked about?",
    right="b",
    a=("2 % of all, at random", "Then 95 % of what we choose by are web pictures, which no user will send."),
    b=("Half of the phone pictures", "Aim where it counts; the other half may join the web pictures in training."),
    c=("Dev from the web, test from phones", "Then we choose by one target, and are surprised by the other."),
)
tomorrow = Prediction(
    claim="random_folds_know_tomorrow",
    text="Which report comes closer to the error on the hundred days to come?",
    tip="Which days does the predictor know when it is asked about day 250?",
    right="b",
    a=("That of folds at random", "There it knows yesterday *and* tomorrow of each day that it is asked about."),
    b=("That of folds in time order", "There it must look ahead, as it will have to."),
    c=("Both come equally close", "A random fold lets it fill gaps; nobody will ask it to."),
)
