"""Every term has a sentence, and a text leads to it at the first use, never inside a formula or another link."""

from theory import glossary


def test_a_text_says_which_words_it_uses_also_in_the_plural_and_not_as_parts_of_others():
    assert list(glossary.used("Scores of two arms on a Plateau.")) == ["arm", "plateau", "score"]
    assert glossary.used("An army underscores the flag.") == {}


def test_only_the_first_use_is_a_link_and_formulas_code_and_links_stay_as_they_are():
    html = '<p><code>lag</code> <math>lag</math> <a href="#x">lag</a> A lag, the lag.</p>'
    made = glossary.linked(html)
    assert made.count('class="word"') == 1
    assert made.startswith('<p><code>lag</code> <math>lag</math> <a href="#x">lag</a> A <a class="word"')
    assert made.endswith(">lag</a>, the lag.</p>")


def test_what_is_linked_has_an_entry_and_meanings_are_single_sentences():
    for word, meaning in glossary.WORDS.items():
        assert f'href="#{glossary.anchor(word)}"' in glossary.linked(word)
        assert not meaning.endswith(".") and '"' not in meaning and "<" not in meaning
