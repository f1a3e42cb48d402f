"""What lesson 2 asks."""

from recipe.lessons.questions import Number, Prediction

never = Number(
    text="Of 1,000 images 90 are fives. What is the accuracy of always answering *no 5*? (A number from 0 to 1.)",
    tip="On which images is it wrong?",
    value=0.91,
    tolerance=0.001,
    reason="It is right on all 910 others: 91 %, without having looked at one of them.",
)
f1 = Number(
    text="Of 20 fives a detector finds 12, and it calls 3 other images fives. What is its F1?",
    tip="Precision is 12 / 15 and recall 12 / 20. The harmonic mean of p and r is 2pr / (p + r).",
    value=0.686,
    tolerance=0.002,
    reason="Precision 0.8, recall 0.6, so 2 x 0.48 / 1.4: less than the 0.7 halfway, for the lower one weighs more.",
)
lower = Prediction(
    claim="lower_threshold_trades",
    text="We lower the threshold from 0.5 to 0.2. What happens?",
    tip="More images are called fives now. Which of the four counts can grow by that?",
    right="b",
    a=("Precision and recall rise", "The further images are less sure ones: more of them are false positives."),
    b=("Recall rises, precision falls", "More fives are found, and with them more that are none."),
    c=("Recall falls, precision rises", "That is what a *higher* threshold does."),
)
weights = Prediction(
    claim="class_weights_move_the_threshold",
    text="The same network is trained with a missed five counted five times. What happens at the threshold 0.5?",
    tip="A missed five costs more now. How does the network avoid missing one?",
    right="a",
    a=("It finds more fives, and ranks about as before", "Outputs move up, their order hardly changes."),
    b=("It finds more fives, and ranks far better", "Weights bring no new information."),
    c=("It finds fewer fives, and is surer of them", "That is what a high price of *false positives* would do."),
)
rare = Prediction(
    claim="rare_yes_costs_precision",
    text="The network is used where one image in fifty is a 5, not one in ten. Which number becomes clearly worse?",
    tip="Recall looks at fives alone. What does precision look at?",
    right="b",
    a=("Recall", "It is counted among the fives, and each of them gets the output that it got before."),
    b=("Precision", "There are fewer fives to be found, and more other images to be mistaken for one."),
    c=("The area under the ROC curve", "It compares fives with others; how many there are of each does not count."),
)
