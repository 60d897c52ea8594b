"""The pairs that a preset is measured on, and the table that comes out."""

from collections import Counter

from bench.minimal_pairs import Pair, read_pairs, write_table

PAIRS = read_pairs()


def test_phenomena_are_as_large_as_each_other() -> None:
    """Twelve at least, of twenty pairs each."""
    sizes = Counter(pair.phenomenon for pair in PAIRS)
    assert len(sizes) >= 12
    assert set(sizes.values()) == {20}


def test_every_sentence_stands_once() -> None:
    """No pair is counted twice, and no sentence is right here and wrong there."""
    sentences = [text for pair in PAIRS for text in (pair.right, pair.wrong)]
    assert len(set(map(str.lower, sentences))) == len(sentences)


def test_every_sentence_is_one() -> None:
    """It starts with a capital letter, ends as sentences do, and is spaced as they are."""
    for pair in PAIRS:
        for text in (pair.right, pair.wrong):
            assert text[0].isupper(), text
            assert text[-1] in ".?", text
            assert " ".join(text.split()) == text


def test_sentences_of_a_pair_differ_in_one_place() -> None:
    """In a word, or in two or three that are turned round."""
    for pair in PAIRS:
        right, wrong = pair.right.lower().split(), pair.wrong.lower().split()
        places = [
            i for i, words in enumerate(zip(right, wrong, strict=True)) if len(set(words)) > 1
        ]
        assert 1 <= len(places) == places[-1] - places[0] + 1 <= 3, pair
        assert len(places) == 1 or Counter(right) == Counter(wrong), pair


def test_table_counts_by_phenomenon() -> None:
    """A share for each method and phenomenon, and over all pairs."""
    pairs = [Pair(name, "Right.", "Wrong.") for name in ("word_order", "word_order", "x")]
    table = write_table(pairs, {"pll": [True, False, True], "pll_word_l2r": [True, True, False]})
    assert list(table) == [
        "| phenomenon | pairs | `pll` | `pll_word_l2r` |",
        "|---|---|---|---|",
        "| word order | 2 | 50.0% | 100.0% |",
        "| x | 1 | 100.0% | 0.0% |",
        "| all | 3 | 66.7% | 66.7% |",
    ]
