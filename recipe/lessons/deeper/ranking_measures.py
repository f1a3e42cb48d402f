"""What "Ranking measures" asks."""

from recipe.lessons.questions import Prediction

rare = Prediction(
    claim="rare_yes_lowers_ap_alone",
    text="One image in a hundred is an 8, not one in ten; the network stays. Which of the two areas falls?",
    tip="Which of the curves has a share in it that counts eights and others together?",
    right="a",
    a=("Average precision alone", "Precision counts the false alarms of all others, and there are more of them now."),
    b=("AUC alone", "The ROC curve looks at each class by itself: how many there are of each does not count."),
    c=("Both", "The order of the images is the same, and the ROC curve asks for nothing else."),
)
