"""Simulated film reviews: a stated process, so that the best error that any model can reach is known.

The process, for each review:

1. A coin is tossed: the writer liked the film, or did not.
2. The writer gives 3, 5, 7 or 9 opinions. Fewer than half of them go against the writer's own mind, so whoever reads
   every opinion with care always learns what the writer thought.
3. An opinion is a sentence such as "the plot was rather dull". About one in eight is negated: "the plot is not dull".
   Common opinion words are drawn far more often than rare ones, and some stand in a handful of reviews only.
4. Mixed sentences ("the acting was superb but the score was bland") and sentences without an opinion are added, and
   the sentences are put in random order.
5. The label says what the writer thought, except that LABEL_NOISE of the labels are wrong.

So the best reachable error is LABEL_NOISE. A network that sees only which words occur cannot tell what a "not" belongs
to, and stays above it; a network that is trained for long learns the wrong labels by heart, and the names in them.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from recipe.data import wordlists
from recipe.data.layouts import RawData

TRAIN_REVIEWS, TEST_REVIEWS = 6_000, 2_000
LABEL_NOISE = 0.06  # fraction of labels that are wrong
OPINIONS, OPINION_SHARES = (3, 5, 7, 9), (0.2, 0.35, 0.3, 0.15)  # how many opinions, and how often
AGAINST = 0.3  # how often one of the opinions that may go against the writer's mind does
NEGATED = 0.12  # fraction of opinions with a negation
MIXED, NEUTRAL = 0.5, 4.0  # mean number of mixed sentences, and of sentences without an opinion
RARITY = 1.1  # an opinion word's frequency falls as its place in the list to this power

PROVENANCE = (
    "A stand-in, not real reviews: {train:,} + {test:,} film reviews simulated from sentence patterns and word lists, "
    "{noise:.0%} of the labels wrong on purpose (part of this package, Apache-2.0)."
)


def simulate_reviews(train: int = TRAIN_REVIEWS, test: int = TEST_REVIEWS, seed: int = 0) -> RawData:
    """Simulate film reviews with labels, 0 for negative and 1 for positive.

    Parameters
    ----------
    train, test : numbers of reviews
    seed : of everything random; the same seed gives the same reviews

    Returns
    -------
    RawData in the layout of ``imdb.npz``; ``reachable_error`` is LABEL_NOISE

    Examples
    --------
    >>> raw = simulate_reviews(train=50, test=10)
    >>> raw.arrays["train_labels"].shape, raw.vocabulary[0], raw.reachable_error
    ((50,), '', 0.06)
    """
    rng = np.random.default_rng(seed)
    liked = rng.random(train + test) < 0.5
    review, kind, praises = _plan_sentences(liked, rng)
    words, lengths = _write_sentences(kind, praises, rng)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(review, weights=lengths, minlength=len(liked)))]).astype(int)
    tokens, vocabulary = _rank_words(words, count_until=offsets[train])
    labels = (liked ^ (rng.random(len(liked)) < LABEL_NOISE)).astype(np.uint8)
    cut = offsets[train]
    return RawData(
        arrays={
            "train_tokens": tokens[:cut],
            "train_offsets": offsets[: train + 1].astype(np.uint32),
            "train_labels": labels[:train],
            "test_tokens": tokens[cut:],
            "test_offsets": (offsets[train:] - cut).astype(np.uint32),
            "test_labels": labels[train:],
        },
        provenance=PROVENANCE.format(train=train, test=test, noise=LABEL_NOISE),
        vocabulary=vocabulary,
        reachable_error=LABEL_NOISE,
    )


def _plan_sentences(liked: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Decide which sentences each review has, in which order.

    Returns
    -------
    (review, kind, praises), one entry a sentence, review by review: the review's number; 0 plain opinion, 1 negated,
    2 mixed, 3 without an opinion; whether the opinion is a good one
    """
    n = len(liked)
    opinions = rng.choice(OPINIONS, n, p=OPINION_SHARES)
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
        for number, group in enumerate(
            (
                wordlists.PLAIN_PATTERNS,
                wordlists.NEGATED_PATTERNS,
                wordlists.MIXED_PATTERNS,
                wordlists.NEUTRAL_PATTERNS,
            )
        )
        for pattern in group
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
    if slot in wordlists.NEUTRAL or slot in wordlists.NAME_BACKS:
        return rng.choice(slots[slot][0], len(praises))
    drawn = np.empty(len(praises), np.int64)
    for good, words in enumerate(slots[slot]):
        weights = np.arange(2, len(words) + 2) ** -RARITY
        rows = np.flatnonzero(praises == bool(good))
        drawn[rows] = rng.choice(words, len(rows), p=weights / weights.sum())
    return drawn


@cache
def _lexicon() -> tuple[dict[str, int], dict[str, tuple[np.ndarray, ...]]]:
    """Number every word that can occur, and list the numbers that each slot draws from."""
    lists = {slot: (words.split(),) for slot, words in wordlists.NEUTRAL.items()}
    for slot, backs in wordlists.NAME_BACKS.items():
        lists[slot] = ([front + back for front in wordlists.NAME_FRONTS.split() for back in backs.split()],)
    lists |= {slot: (bad.split(), good.split()) for slot, (bad, good) in wordlists.OPINIONS.items()}
    patterns = (*wordlists.PLAIN_PATTERNS, *wordlists.NEGATED_PATTERNS)
    patterns += (*wordlists.MIXED_PATTERNS, *wordlists.NEUTRAL_PATTERNS)
    plain = [part for pattern in patterns for part in pattern.split() if not part.startswith("{")]
    spoken = dict.fromkeys(["an", *plain, *(word for groups in lists.values() for group in groups for word in group)])
    lexicon = {word: number for number, word in enumerate(spoken)}
    slots = {slot: tuple(np.array([lexicon[w] for w in group]) for group in groups) for slot, groups in lists.items()}
    return lexicon, slots


def _rank_words(words: np.ndarray, count_until: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Number the words anew by their frequency in the training part, 1 for the most frequent.

    Returns
    -------
    (tokens uint32, vocabulary): `vocabulary[rank]` is the word; words that never occur are left out
    """
    lexicon = list(_lexicon()[0])
    counts = np.bincount(words[:count_until], minlength=len(lexicon))
    occurs = np.bincount(words, minlength=len(lexicon)) > 0
    order = np.lexsort([-counts, ~occurs])[: occurs.sum()]
    ranks = np.zeros(len(lexicon), np.uint32)
    ranks[order] = np.arange(1, len(order) + 1)
    return ranks[words], ("", *(lexicon[number] for number in order))
