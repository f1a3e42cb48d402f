"""What "Leaks" asks."""

from recipe.lessons.questions import Prediction

scaled = Prediction(
    claim="statistics_leak_little",
    text="200 districts are scaled by the mean of all rows, then cut into folds. How far off is the reported error?",
    tip="How much do the means change if a fourth of the rows is left out?",
    right="a",
    a=("By less than 3 %", "The mean of all rows is nearly that of the training rows, and it has seen no target."),
    b=("By about a tenth", "It is a leak, and yet it tells the model next to nothing about the validation rows."),
    c=("By about a third", "That takes a leak of the targets. Scaling looks at the inputs alone."),
)
coins = Prediction(
    claim="selection_invents_signal",
    text="The targets are coin tosses. The 20 best columns are picked on all rows, before the folds are cut. What "
    "accuracy does cross-validation report, beside that with the picking inside each fold?",
    tip="Which targets did the picking see?",
    right="b",
    a=("The same: coins are coins", "The picking has seen how the coins of the validation rows fell."),
    b=("A higher one", "Of many columns some go with the tosses by chance, and were picked for just that."),
    c=("A lower one", "The columns were picked because they go with these very tosses."),
)
