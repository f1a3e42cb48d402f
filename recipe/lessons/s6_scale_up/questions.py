"""What lesson 6 asks."""

from recipe.lessons.questions import Choice, Prediction

next_step = Choice(
    text="People misread 14 % of some blurred digits. A network has a training error of 15 % and a validation error "
    "of 24 %. What comes first?",
    tip="Subtract: which of the two steps is the larger one?",
    right="c",
    a=("A bigger network", "The avoidable bias is one point: there is next to nothing that a better fit could gain."),
    b=("Longer training", "That lowers the training error, which is within a point of people's."),
    c=("More data, or regularization", "Avoidable bias 1 point, variance 9 points: the variance is what to work on."),
    d=("Nothing, 24 % is good for blurred digits", "People are at 14 %: ten points could be won."),
)
bigger = Prediction(
    claim="bias_falls_idea_by_idea",
    text="Sixteen units become 256; data, optimizer and epochs stay. What becomes of the *training* error?",
    tip="Whatever sixteen units can compute, 256 can compute too.",
    right="a",
    a=("It falls", "More capacity fits better. Whether validation gains, too, is another question."),
    b=("It stays as it is", "So it would be if sixteen units had room enough; the error is far above people's."),
    c=("It rises", "A larger network is no harder to train here: more of its random units are useful from the start."),
)
turn = Prediction(
    claim="accuracy_moves_little",
    text="The network trains on after its validation loss has turned, until the loss is a fifth higher, or more. What "
    "becomes of its validation *accuracy*?",
    tip="Accuracy asks on which side of 0.5 an output lies. What does the loss ask?",
    right="b",
    a=("It falls by a fifth, too", "The loss can grow without a single new mistake: old ones become surer."),
    b=("It moves by a few points at most", "Most reviews stay on their side of 0.5; the loss grows on the wrong ones."),
    c=("It rises by a fifth", "What is learned after the turn is true of the training reviews alone."),
)
stop_by = Choice(
    text="A program sorts film reviews into good and bad, and nobody looks at how sure it was. Loss and accuracy "
    "disagree on the best epoch. Which one decides?",
    tip="What was the measure of success, in step 2?",
    right="b",
    a=("The loss, always", "The loss is what can be trained by. What counts was decided in step 2."),
    b=(
        "The accuracy",
        "The outputs are used as yes or no, so accuracy is what the project is judged by. Where "
        "somebody acts on the probability itself, the loss decides.",
    ),
    c=("The training loss", "It falls to the end and knows nothing of new reviews."),
)
draws = Prediction(
    claim="variance_rises_with_size",
    text="Each size learns from several draws of 150 samples. Whose boundaries differ most from draw to draw?",
    tip="One of them has room to go around every single sample.",
    right="c",
    a=("2 units", "It can draw little more than a bent line, and does so from every draw: stable, and wrong (bias)."),
    b=("8 units", "It is in between, and closest to the truth."),
    c=("Two layers of 64", "It follows each wrong label; other samples, another boundary: variance."),
)
