"""What "Features that pay" asks."""

from recipe.lessons.questions import Prediction

clocks = Prediction(
    claim="angles_need_few_clocks",
    text="One tree gets 100 clocks as angles, another one 1,000 as pixels. Which reads more new clocks right?",
    tip="How many numbers does the hour hang on, in each kind of input?",
    right="a",
    a=("The tree with 100 clocks as angles", "One number says the hour. It has eleven thresholds to find."),
    b=("The tree with 1,000 clocks as pixels", "Ten times the clocks do not make up for it: no pixel says the hour."),
    c=("Both as many", "So it would be if the form of the input did not matter."),
)
ratios = Prediction(
    claim="log_ratios_pay_for_line_and_trees",
    text="On 4,000 districts: whose mean error falls if the logarithms of three ratios come to the eight columns?",
    tip="Can a tree divide one column by another?",
    right="c",
    a=("That of the line alone", "A line cannot divide; but a tree, which asks one column at a time, hardly can."),
    b=("That of the trees alone", "A logarithm changes nothing for trees, but the ratio itself is news to both."),
    c=("That of both", "Neither divides by itself: what is computed for them, they need not learn."),
)
