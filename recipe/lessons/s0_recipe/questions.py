"""What lesson 0 asks."""

from recipe.lessons.questions import Choice, Prediction

smallest = Prediction(
    claim="smallest_network_beats_the_guess",
    text="The guess always names the most frequent digit; the smallest network has ten outputs and no hidden layer. "
    "Which share of the digits will each of them get right?",
    tip="How many classes are there, all of about the same size? And does a single pixel tell nothing at all?",
    right="b",
    a=("The guess a tenth, the network a third", "Ten weighted sums of the pixels tell far more: compare a 0 and a 1."),
    b=("The guess a tenth, the network three quarters or more", "One class of ten is a tenth. Sums of pixels go far."),
    c=("The guess a half, the network nearly all", "A half would be the guess between two classes; there are ten."),
)
overfits = Choice(
    text="The losses of the training and of the validation samples are drawn over the epochs. Which picture shows that "
    "a network overfits?",
    tip="Which of the samples can be learned by heart?",
    right="b",
    a=("Both losses still fall", "What it learns still helps with new samples: train on."),
    b=("The training loss falls, the validation loss rises", "What it learns now is true of its own samples alone."),
    c=("Both losses stay high", "It cannot even fit the samples that it trains on: it underfits."),
)
luck = Choice(
    text="Two networks were trained once each. One reads half a point more of the validation samples. What follows?",
    tip="What would another seed change?",
    right="c",
    a=("It is the better one", "It may be. Other first weights could turn the order around: nobody has looked."),
    b=("They are equally good", "That, too, one training of each cannot show."),
    c=("Nothing yet", "Train both with several seeds: what counts is a difference that is large beside their spread."),
)
dropped = Prediction(
    claim="dropout_moves_accuracy_little",
    text="In every step of training half of the units are switched off. What becomes of the validation *accuracy* at "
    "the best epoch, over five seeds?",
    tip="In validation all units work. And which of loss and accuracy counts how sure the network is?",
    right="b",
    a=("It falls by five points or more", "Half a network would do worse; but it is whole again when it is asked."),
    b=("It moves by a point and a half at most", "Most digits were read correctly already; it is the loss that falls."),
    c=("It rises by five points or more", "There are hardly that many mistakes which a surer network would not make."),
)
sealed = Choice(
    text="The test set was opened. Its mistakes suggest a change, and with it the test accuracy is a point higher. "
    "Which number may be reported?",
    tip="Which of the two was measured on samples that had no say in the network?",
    right="a",
    a=("The first, of the network as it was", "For the changed one new samples are needed: these helped to make it."),
    b=("The second, of the better network", "It was changed because of these samples, so on them it flatters."),
    c=("The mean of the two", "Half of it still comes from samples that had a say in the network."),
)
