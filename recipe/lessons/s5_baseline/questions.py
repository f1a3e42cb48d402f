"""What lesson 5 asks."""

from recipe.lessons.questions import Choice, Number, Prediction

rival = Prediction(
    claim="boosting_beats_small_network",
    text="Houses: a linear model, gradient boosting, and a network with one hidden layer of 16 units. Who errs least?",
    tip="Prices bend and jump with the place. Who can follow that on thousands of rows of eight columns, untuned?",
    right="b",
    a=("The linear model", "Each column can only add its share; what two columns say together it cannot learn."),
    b=("Gradient boosting", "On tables, a hundred small trees are hard to beat."),
    c=("The network", "It can bend, but 16 units in 20 epochs do not follow the place as closely as many trees do."),
)
last_layer = Choice(
    text="Photographs get tags: beach, dog, night. A photograph may have none, one or several. Which last layer?",
    tip="Does the network choose between the tags, or answer a yes or no for each?",
    right="c",
    a=("3 units, softmax", "Its outputs add up to 1: two tags could not both be nearly certain."),
    b=("1 unit, sigmoid", "One output answers one question; here there are three."),
    c=("3 units, sigmoid", "A probability for each tag by itself, and binary cross-entropy as the loss."),
)
dollars = Prediction(
    claim="dollars_teach_nothing",
    text="The target stays in dollars, some 200,000 of them; all else is as before. What becomes of the network?",
    tip="RMSprop moves a weight by about its learning rate, 0.001, in each step, however large the gradient is.",
    right="c",
    a=("As good as before", "So it is with the linear model. Here the output starts at 0 and has far to go."),
    b=("As good, but in larger numbers", "A network that could get so far would not mind the unit; this one cannot."),
    c=("Worse than the guess", "After thousands of steps of 0.001 the output is still nearer to 0 than to any price."),
)
p_value = Choice(
    text="A network is compared with a guess: p = 0.03. What does that say?",
    tip="What is taken for granted when p is computed?",
    right="b",
    a=("It is better with a probability of 97 %", "p takes for granted that it is *not* better."),
    b=("If it were no better, 3 % of such tests would look at least as good", "That, and no more, is a p-value."),
    c=("It is better by 3 points", "How large the difference is, an interval says."),
)
pairs = Number(
    text="Of 200 reviews two models both get 150 right and 20 wrong; 18 only the network gets right, 12 its rival. "
    "On how many reviews does McNemar's test rest?",
    tip="Where both are right, or both wrong, neither gains.",
    value=30,
    reason="18 wins and 12 losses; 30 tosses of a coin show 18 heads or more in 18 % of all cases.",
)
