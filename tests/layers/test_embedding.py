"""Vectors of tokens, and words from their characters."""

import numpy as np
import pytest
import torch
from cells.variants import every_cell

from rnncli.layers.characters import CharacterWords
from rnncli.layers.embedding import Embedding
from rnncli.sequences import Padded

IDS = Padded(torch.tensor([[3, 1, 5, 3], [2, 3, 0, 0]]), torch.tensor([4, 2]))


def test_each_token_has_its_row_and_padding_is_zeros():
    embedding = Embedding(6, 4)
    out = embedding(IDS)
    torch.testing.assert_close(out.values, embedding.weight[IDS.values])
    assert not out.values[1, 2:].any()
    assert embedding.weight[1:].all()


def test_training_leaves_the_row_of_padding_alone():
    embedding = Embedding(6, 4)
    embedding(IDS).values.sum().backward()
    torch.testing.assert_close(embedding.weight.grad.sum(1), torch.tensor([0.0, 4, 4, 12, 0, 4]))


def test_pretrained_vectors_stand_where_given_and_the_others_are_drawn_alike():
    vectors = np.random.default_rng(0).normal(size=(500, 40), scale=0.2).astype(np.float32)
    vectors[300:] = np.nan
    weight = Embedding(500, 40, vectors=vectors).weight.detach()
    np.testing.assert_array_equal(weight[1:300].numpy(), vectors[1:300])
    assert not weight[0].any()
    assert weight[300:].std().item() == pytest.approx(0.2, rel=0.05)


def test_frozen_vectors_are_not_trained():
    assert not Embedding(6, 4, vectors=np.ones((6, 4)), frozen=True).weight.requires_grad
    assert Embedding(6, 4, vectors=np.ones((6, 4))).weight.requires_grad


def test_deviation_of_what_is_drawn():
    assert Embedding(500, 40, deviation=0.1).weight[1:].std().item() == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize("cell", list(every_cell()))
def test_a_word_is_what_both_directions_have_at_their_end(cell):
    torch.manual_seed(0)
    words = CharacterWords(9, 3, every_cell()[cell])
    spellings = Padded(torch.tensor([[4, 8, 2, 7], [5, 0, 0, 0], [3, 3, 6, 0]]), torch.tensor([4, 1, 3]))
    positions = Padded(torch.tensor([[2, 0], [1, 1], [0, 2], [1, 0], [0, 0]]), torch.tensor([2, 2, 2, 2, 1]))
    out = words(spellings, positions).values
    assert out.shape == (5, 2, words.size)
    for word, length in enumerate([4, 1, 3]):
        alone = Padded(spellings.values[word : word + 1, :length], torch.tensor([length]))
        _, (ahead, back) = words.stack(words.embedding(alone), final_state=True)
        expected = torch.cat([ahead[0][0], back[0][0]])
        for row, step in (positions.values == word).nonzero().tolist():
            torch.testing.assert_close(out[row, step], expected)
