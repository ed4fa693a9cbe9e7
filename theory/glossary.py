"""The words that claims, figures and the page use as terms, each in a sentence for who never read the paper."""

import re

WORDS = {
    "self-pretraining": "SPT: masked reconstruction on the task's own sequences, before training on their labels",
    "arm": "one way of training in a comparison, such as labels only, or SPT and then labels; all take the same steps",
    "plateau": "the stretch of training in which loss and accuracy hardly move; on docs-order a run has left it once "
    "its validation accuracy first reaches 75%",
    "score": "the number for a query i and a key j of which softmax makes attention; a sequence of length L has L x L",
    "value map": "the matrix that says what a token hands on to those that attend to it",
    "mean pool": "the average of all positions' outputs, which is all that the classifying head reads",
    "key bias": "a change of the scores that is the same for every query: all attend more to some keys",
    "gauge": "a change of the scores that softmax ignores: one number added to all scores of a query",
    "doubly centred": "of scores: each row and each column averages 0, which is what gauge and key bias leave; "
    "attention to neighbours lies there",
    "lag": "the distance between two positions of a sequence",
    "circulant": "of scores: depending on the distance between query and key alone, on positions closed to a ring",
    "proximity": "attending to positions nearby; the proximity index is the attention within a window around each "
    "position over what uniform attention gives it: 1 where nothing is learnt",
    "adiabatic point": "attention is held uniform while all else is trained to the end; a gradient of the scores "
    "taken there shows what all the rest has left for attention to do",
    "signal-to-noise ratio": "SNR: the squared mean of a gradient over its variance between sequences; its sign "
    "shows after about 1/SNR sequences",
    "saddle": "a point without slope from which the loss falls in some directions only; training leaves it slowly",
    "toy": "the minimal model: one attention layer with free scores, a value map and a mean pool, on data of known law",
}
_PLURAL = {"arm": "arms", "score": "scores", "plateau": "plateaus", "lag": "lags"}


def first_use(text: str, word: str) -> re.Match[str] | None:
    """Where a text first uses one of `WORDS`."""
    either = "|".join(re.escape(each) for each in (_PLURAL.get(word, word), word))
    return re.search(rf"(?<![\w-])({either})(?![\w-])", text, re.IGNORECASE)


def used(text: str) -> dict[str, str]:
    """The words that a text uses, with what they mean."""
    return {word: meaning for word, meaning in WORDS.items() if first_use(text, word)}


def linked(html: str) -> str:
    """Each word's first use in an HTML text leads to its entry, and says it to the pointer.

    >>> from theory.glossary import linked
    >>> linked("<p>A plateau.</p>")[:44]
    '<p>A <a class="word" href="#word-plateau" ti'
    """
    parts = re.split(r"(<math.*?</math>|<a .*?</a>|<code.*?</code>|<[^>]*>)", html, flags=re.DOTALL)
    for word, meaning in WORDS.items():
        for index in range(0, len(parts), 2):
            if use := first_use(parts[index], word):
                link = f'<a class="word" href="#{anchor(word)}" title="{meaning}">{use[0]}</a>'
                before, after = parts[index][: use.start()], parts[index][use.end() :]
                parts[index : index + 1] = [before, link, after]
                break
    return "".join(parts)


def anchor(word: str) -> str:
    """The address of a word's entry on a page."""
    return f"word-{word.replace(' ', '-')}"
