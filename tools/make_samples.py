"""Make the stand-ins for the three datasets again, ``recipe/data/sample_*.npz``, and state how they come about.

    python tools/make_samples.py [FOLDER]

Without a folder they are written where the package has them. Digits are real, but small. Reviews and housing are
simulated, so that the error of the best possible model is known: `recipe.data.load` states it.
"""

from __future__ import annotations

import sys
import tomllib
from functools import cache
from pathlib import Path

import numpy as np

from recipe.data.load import LABEL_NOISE
from recipe.data.problems import HOUSING_CAP

HOME = Path(__file__).resolve().parents[1] / "recipe" / "data"
# Halves and fifths of what there is to train on fill batches of 32, 64 and 128 without a rest: Keras compiles a step
# again for a batch of another size, which takes longer than to train on so few samples.
TRAIN_DIGITS, TEST_DIGITS = 1_600, 192  # of scikit-learn's 1,797
TRAIN_REVIEWS, TEST_REVIEWS = 5_120, 2_880  # 8,000: of 6,000 rows 3,840 are to train on, of 2,000 1,280
OPINIONS, SHARES = (3, 5, 7, 9), (0.2, 0.35, 0.3, 0.15)  # how many opinions, and how often
AGAINST = 0.3  # how often one of the opinions that may go against the writer's mind does
NEGATED = 0.12  # fraction of opinions with a negation
MIXED, NEUTRAL = 0.5, 4.0  # mean number of mixed sentences, and of sentences without an opinion
RARITY = 1.1  # an opinion word's frequency falls as its place in the list to this power
HOUSING_ROWS = 2_000
HOUSING_NOISE = 0.15  # standard deviation of the noise in the logarithm of the value: about 15 %


def take_digits() -> dict[str, np.ndarray]:
    """Return all but five of scikit-learn's 1,797 handwritten digits, in random order.

    Images are uint8 of shape (n, 8, 8), with grey levels from 0 to 16.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    order = np.random.default_rng(0).permutation(len(bunch.target))
    images, labels = bunch.images[order].astype(np.uint8), bunch.target[order].astype(np.uint8)
    used = TRAIN_DIGITS + TEST_DIGITS
    return {
        "x_train": images[:TRAIN_DIGITS],
        "y_train": labels[:TRAIN_DIGITS],
        "x_test": images[TRAIN_DIGITS:used],
        "y_test": labels[TRAIN_DIGITS:used],
    }


def simulate_reviews() -> dict[str, np.ndarray]:
    """Simulate film reviews with labels, 0 for negative and 1 for positive.

    The process, for each review:

    1. A coin is tossed: the writer liked the film, or did not.
    2. The writer gives 3, 5, 7 or 9 opinions. Fewer than half of them go against the writer's own mind, so whoever
       reads every opinion with care always learns what the writer thought.
    3. An opinion is a sentence such as "the plot was rather dull". About one in eight is negated: "the plot is not
       dull". Common opinion words are drawn far more often than rare ones, and some stand in a handful of reviews only.
    4. Mixed sentences ("the acting was superb but the score was bland") and sentences without an opinion are added,
       and the sentences are put in random order.
    5. The label says what the writer thought, except that LABEL_NOISE of the labels are wrong.

    So the best reachable error is LABEL_NOISE. A network that sees only which words occur cannot tell what a "not"
    belongs to, and stays above it; a network that is trained for long learns the wrong labels by heart, and the names.

    Returns
    -------
    The arrays of ``imdb.npz``, with small types, and ``words``, the word of each rank
    """
    rng, train, test = np.random.default_rng(0), TRAIN_REVIEWS, TEST_REVIEWS
    liked = rng.random(train + test) < 0.5
    review, kind, praises = _plan_sentences(liked, rng)
    words, lengths = _write_sentences(kind, praises, rng)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(review, weights=lengths, minlength=len(liked)))]).astype(int)
    tokens, vocabulary = _rank_words(words, count_until=offsets[train])
    labels = (liked ^ (rng.random(len(liked)) < LABEL_NOISE)).astype(np.uint8)
    cut = offsets[train]
    return {
        "train_tokens": tokens[:cut],
        "train_offsets": offsets[: train + 1].astype(np.uint32),
        "train_labels": labels[:train],
        "test_tokens": tokens[cut:],
        "test_offsets": (offsets[train:] - cut).astype(np.uint32),
        "test_labels": labels[train:],
        "words": np.array(vocabulary),
    }


def word_lists() -> dict[str, dict]:
    """Return the words and sentence patterns of the simulated reviews, as ``reviews.toml`` has them."""
    return tomllib.loads(Path(__file__).with_name("reviews.toml").read_text(encoding="utf-8"))


def _plan_sentences(liked: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Decide which sentences each review has, in which order.

    Returns
    -------
    (review, kind, praises), one entry a sentence, review by review: the review's number; 0 plain opinion, 1 negated,
    2 mixed, 3 without an opinion; whether the opinion is a good one
    """
    n = len(liked)
    opinions = rng.choice(OPINIONS, n, p=SHARES)
    against = rng.binomial((opinions - 1) // 2, AGAINST)
    mixed, neutral = rng.poisson(MIXED, n), rng.poisson(NEUTRAL, n)
    numbers = np.arange(n)
    review = np.concatenate([np.repeat(numbers, count) for count in (opinions, mixed, neutral)])
    total = int(opinions.sum())
    nth = np.arange(total) - np.repeat(np.cumsum(opinions) - opinions, opinions)  # 0, 1, 2 ... within a review
    praises = rng.random(len(review)) < 0.5  # which half comes first in a mixed sentence, and nothing in a neutral one
    praises[:total] = liked[review[:total]] ^ (nth < against[review[:total]])
    kind = np.repeat([0, 2, 3], [total, mixed.sum(), neutral.sum()])
    kind[:total] = rng.random(total) < NEGATED
    order = np.lexsort([rng.random(len(review)), review])
    return review[order], kind[order], praises[order]


def _write_sentences(kind: np.ndarray, praises: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Fill a random pattern of the right kind for each sentence.

    Returns
    -------
    (words, lengths): word numbers in `_lexicon`'s list, all sentences end to end; and words in each sentence
    """
    patterns = [
        (number, pattern.split())
        for number, group in enumerate(word_lists()["patterns"].values())
        for pattern in group.splitlines()
    ]
    groups = np.array([number for number, _ in patterns])
    first, size = np.searchsorted(groups, range(4)), np.bincount(groups)
    chosen = first[kind] + (rng.random(len(kind)) * size[kind]).astype(int)
    lengths = np.array([len(pattern) for _, pattern in patterns])[chosen]
    starts = np.cumsum(lengths) - lengths
    words = np.empty(int(lengths.sum()), np.int64)
    for number, (group, pattern) in enumerate(patterns):  # some forty rounds, each over thousands of sentences
        rows = np.flatnonzero(chosen == number)
        for place, part in enumerate(pattern):
            words[starts[rows] + place] = _draw(part, praises[rows] ^ (group == 1), rng)
    return _mend_articles(words), lengths


def _mend_articles(words: np.ndarray) -> np.ndarray:
    """Turn "a" into "an" before a vowel's sound; no sentence ends with "a"."""
    lexicon, _ = _lexicon()
    vowel = np.array([word.startswith(("a", "e", "i", "o", "u", "honest")) for word in lexicon])
    before_vowel = np.flatnonzero((words[:-1] == lexicon["a"]) & vowel[words[1:]])
    words[before_vowel] = lexicon["an"]
    return words


def _draw(part: str, praises: np.ndarray, rng: np.random.Generator) -> np.ndarray | int:
    """Return the number of a pattern's plain word, or draw words for its slot, one for each sentence."""
    lexicon, slots = _lexicon()
    if not part.startswith("{"):
        return lexicon[part]
    slot = part.strip("{}")
    if slot == "other":
        slot, praises = "adjective", ~praises
    if len(slots[slot]) == 1:
        return rng.choice(slots[slot][0], len(praises))
    drawn = np.empty(len(praises), np.int64)
    for good, words in enumerate(slots[slot]):
        weights = np.arange(2, len(words) + 2) ** -RARITY
        rows = np.flatnonzero(praises == bool(good))
        drawn[rows] = rng.choice(words, len(rows), p=weights / weights.sum())
    return drawn


@cache
def _lexicon() -> tuple[dict[str, int], dict[str, tuple[np.ndarray, ...]]]:
    """Number every word that can occur, and list the numbers that each slot draws from; of opinions, bad and good."""
    words = word_lists()
    names, patterns = words["names"], " ".join(words["patterns"].values()).split()
    fronts = names.pop("fronts").split()
    lists = {slot: (text.split(),) for slot, text in words["neutral"].items()}
    lists |= {slot: ([front + back for front in fronts for back in backs.split()],) for slot, backs in names.items()}
    lists |= {slot: (sides["bad"].split(), sides["good"].split()) for slot, sides in words["opinions"].items()}
    plain = [word for word in patterns if not word.startswith("{")]
    spoken = dict.fromkeys(["an", *plain, *(word for groups in lists.values() for group in groups for word in group)])
    lexicon = {word: number for number, word in enumerate(spoken)}
    slots = {slot: tuple(np.array([lexicon[w] for w in group]) for group in groups) for slot, groups in lists.items()}
    return lexicon, slots


def _rank_words(words: np.ndarray, count_until: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Number the words anew by their frequency in the training part, 1 for the most frequent.

    Returns
    -------
    (tokens uint16, vocabulary): `vocabulary[rank]` is the word; words that never occur are left out
    """
    lexicon = list(_lexicon()[0])
    counts = np.bincount(words[:count_until], minlength=len(lexicon))
    occurs = np.bincount(words, minlength=len(lexicon)) > 0
    order = np.lexsort([-counts, ~occurs])[: occurs.sum()]
    ranks = np.zeros(len(lexicon), np.uint16)
    ranks[order] = np.arange(1, len(order) + 1)
    return ranks[words], ("", *(lexicon[number] for number in order))


def simulate_housing() -> dict[str, np.ndarray]:
    """Simulate districts of California, with the columns and units of the real file.

    The process, for each district:

    1. Four in ten lie inland, along the Central Valley; the others at the coast, around San Francisco or Los Angeles.
    2. Households, people per household, rooms per household and bedrooms per household are lognormal, so that a few
       districts are huge and the four totals rise together. Richer districts have more rooms.
    3. The median income is lognormal, a little higher at the coast. Districts at the coast are older, and older
       districts are smaller.
    4. The median house value is a product: it rises with income, falls inland and with crowding, rises a little with
       age, and is higher around San Francisco. That is what a model can learn.
    5. It is multiplied by a lognormal noise of HOUSING_NOISE, which nothing in the columns tells, and cut off at
       500,001 dollars.

    The best guess is the value without noise: noise leaves the median where it is, so no guess has a smaller mean
    absolute error.

    Returns
    -------
    The arrays of ``california_housing.npz``
    """
    rng, rows = np.random.default_rng(0), HOUSING_ROWS
    x, inland, bay = simulate_districts(rows, rng)
    value = value_without_noise(x, inland, bay)
    noisy = np.minimum(value * np.exp(HOUSING_NOISE * rng.standard_normal(rows)), HOUSING_CAP)
    return {"x": x.astype(np.float32), "y": noisy.astype(np.float32)}


def simulate_districts(rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the columns (rows, 8), and which districts lie inland and which around San Francisco."""
    inland = rng.random(rows) < 0.4
    bay = ~inland & (rng.random(rows) < 0.4)
    along = rng.random(rows)  # where along the valley, from Bakersfield (0) to Redding (1)
    east, north = rng.normal(0, 0.3, (2, rows))
    longitude = np.select([inland, bay], [-119.0 - 3.2 * along, -122.2], -118.2) + east
    latitude = np.select([inland, bay], [35.4 + 5.0 * along, 37.7], 34.0) + north - 0.5 * east
    age = np.clip(np.where(inland, 23, 32) + 11 * rng.standard_normal(rows), 1, 52).round()
    income = np.clip(np.where(inland, 3.1, 3.9) * np.exp(0.45 * rng.standard_normal(rows)), 0.5, 15.0)
    households = np.clip(420 * (age / 28) ** -0.3 * np.exp(0.65 * rng.standard_normal(rows)), 2, 6_000).round()
    rooms = households * 5.2 * (income / 3.6) ** 0.25 * np.exp(0.18 * rng.standard_normal(rows))
    bedrooms = households * 1.06 * np.exp(0.08 * rng.standard_normal(rows))
    people = households * 2.85 * np.exp(0.25 * rng.standard_normal(rows))
    columns = [longitude, latitude, age, rooms.round(), bedrooms.round(), people.round(), households, income]
    return np.column_stack(columns), inland, bay


def value_without_noise(x: np.ndarray, inland: np.ndarray, bay: np.ndarray) -> np.ndarray:
    """Return each district's value in dollars, shape (rows,), before the noise and the cap."""
    age, people, households, income = x[:, 2], x[:, 5], x[:, 6], x[:, 7]
    place = np.select([inland, bay], [115_000.0, 255_000.0], 215_000.0)
    crowding = people / households / 2.85
    return place * (income / 3.6) ** 0.85 * crowding**-0.4 * np.exp(0.004 * (age - 28))


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HOME
    for name, make in {"mnist": take_digits, "imdb": simulate_reviews, "housing": simulate_housing}.items():
        np.savez_compressed(folder / f"sample_{name}.npz", **make())
