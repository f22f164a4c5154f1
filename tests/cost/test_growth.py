"""Growth of models and memories, and what a loss is made of."""

import pytest

from tinylib.cost import growth


def test_loss_of_the_published_optimum():  # 406.4 / 70e9^0.34 = 0.083, 410.7 / 1.4e12^0.28 = 0.163
    terms = growth.loss_terms(70e9, 1.4e12)
    assert list(terms) == ["floor", "size", "text"]
    assert sum(terms.values()) == pytest.approx(1.69 + 0.0835 + 0.1632, abs=2e-4)


def test_doubling_divides_one_term_alone():
    once, twice = growth.loss_terms(1e9, 1e11), growth.loss_terms(2e9, 1e11)
    assert once["size"] / twice["size"] == pytest.approx(2**0.34)
    assert (once["floor"], once["text"]) == (twice["floor"], twice["text"])


@pytest.mark.parametrize("numbers", [(0, 1), (1, -1), (float("nan"), 1)])
def test_a_loss_of_nothing_is_refused(numbers):
    with pytest.raises(ValueError, match="needs parameters and tokens above 0"):
        growth.loss_terms(*numbers)
