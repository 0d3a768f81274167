"""The encoder of images: against the same in words, its mates in a batch, what training shows it, and how it starts."""

import pytest
import torch
from torch.nn.functional import conv2d, group_norm, relu

from rnncli.cells.drawing import Streams
from rnncli.cells.initializers import NormalSettings, OrthogonalSettings
from rnncli.inputs.features import Images, Values
from rnncli.inputs.targets import Target
from rnncli.layers.image_settings import ImageEncoderSettings
from rnncli.layers.images import ImageEncoder, moved
from rnncli.models.mistakes import model_mistakes
from rnncli.models.settings import ModelSettings
from rnncli.models.starting import start
from rnncli.sequences import Padded

HEIGHT, WIDTH = 22, 15


def encoder(seed=0, **settings):
    torch.manual_seed(seed)
    return ImageEncoder(ImageEncoderSettings(**{"channels": [8, 24, 16]} | settings), Images(HEIGHT, WIDTH))


def pictures(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    values = torch.randint(256, (count, 1, 3, HEIGHT, WIDTH), dtype=torch.uint8, generator=generator)
    return Padded(values, torch.ones(count, dtype=torch.int64))


def in_words(layer, picture):
    """The positions of one picture, (positions, size)."""
    x = ((picture.double() - 127.5) / 64).unsqueeze(0)
    for stage in layer.stages:
        w = {name: value.double() for name, value in stage.named_parameters()}
        x = conv2d(x, w["convolution.weight"], stride=2, padding=1)
        x = relu(group_norm(x, x.shape[1] // 8, w["norm.weight"], w["norm.bias"]))
        if "second.weight" in w:
            y = conv2d(x, w["second.weight"], padding=1)
            x = relu(x + group_norm(y, y.shape[1] // 8, w["second_norm.weight"], w["second_norm.bias"]))
    return torch.stack([x[0, :, row, column] for row in range(x.shape[2]) for column in range(x.shape[3])])


@pytest.mark.parametrize("residual", [False, True])
def test_positions_are_those_of_each_picture_alone(residual):
    layer = encoder(residual=residual)
    for parameter in layer.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    seen = pictures(4)
    out = layer(seen)
    assert out.values.shape == (4, 3 * 2, layer.size)
    assert out.full
    expected = torch.stack([in_words(layer, picture[0]) for picture in seen.values])
    torch.testing.assert_close(out.values.double(), expected, rtol=1e-4, atol=1e-4)


def test_gradients_reach_every_parameter():
    layer = encoder(residual=True, dropout=0.3, flip=True, shift=2)
    layer(pictures(6)).values.square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in layer.parameters())


@pytest.mark.parametrize("training", [False, True])
def test_mates_in_a_batch_do_not_matter(training):
    layer = encoder(residual=True).train(training)
    seen = pictures(5)
    whole = layer(seen).values
    for row in range(5):
        alone = layer(Padded(seen.values[row : row + 1], torch.ones(1, dtype=torch.int64))).values[0]
        torch.testing.assert_close(whole[row], alone, rtol=1e-4, atol=1e-5)


def test_equal_pictures_in_a_row_are_read_once_and_gradients_are_as_if_not():
    layer, twice = encoder(), [0, 0, 1, 2, 2, 2, 1]
    seen = pictures(3)
    counted = []
    layer.stages.register_forward_hook(lambda module, given, out: counted.append(len(out)))
    weight = torch.randn(7, 6, layer.size)
    together = layer(Padded(seen.values[twice], torch.ones(7, dtype=torch.int64))).values
    assert counted == [4]
    parameters = [*layer.parameters()]
    found = torch.autograd.grad((together * weight).sum(), parameters)
    apart = layer(seen).values[twice]
    torch.testing.assert_close(together, apart)
    expected = torch.autograd.grad((apart * weight).sum(), parameters)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


def test_evaluation_is_the_same_every_time_and_training_is_not():
    layer = encoder(dropout=0.5, flip=True, shift=3)
    seen = pictures(4)
    layer.eval()
    before = torch.get_rng_state()
    assert torch.equal(layer(seen).values, layer(seen).values)
    assert torch.equal(torch.get_rng_state(), before)
    layer.train()
    torch.manual_seed(3)
    one, two = layer(seen).values, layer(seen).values
    assert not torch.equal(one, two)
    torch.manual_seed(3)
    assert torch.equal(layer(seen).values, one)


def test_dropout_leaves_the_mean_and_drops_its_share():
    layer = encoder(dropout=0.4)
    seen = Padded(pictures(40).values, torch.ones(40, dtype=torch.int64))
    plain, dropped = layer.eval()(seen).values, layer.train()(seen).values
    gone = (dropped == 0) & (plain != 0)
    assert float(gone.sum() / (plain != 0).sum()) == pytest.approx(0.4, abs=0.03)
    kept = dropped != 0
    torch.testing.assert_close(dropped[kept], plain[kept] / 0.6, rtol=1e-4, atol=1e-5)


def test_moved_pictures_are_mirrored_and_pushed_each_by_itself():
    shift = 2
    seen = pictures(300, seed=5).values[:, 0]
    torch.manual_seed(1)
    out = moved(seen, flip=True, shift=shift)
    ways = {}
    for picture, found in zip(seen, out, strict=True):
        fitting = []
        for flip in (False, True):
            base = picture.flip(2) if flip else picture
            padded = torch.nn.functional.pad(base.float(), [shift] * 4, mode="replicate").to(torch.uint8)
            for down in range(2 * shift + 1):
                for right in range(2 * shift + 1):
                    seen_there = padded[:, down : down + HEIGHT, right : right + WIDTH]
                    fitting += [(flip, down, right)] if torch.equal(seen_there, found) else []
        assert len(fitting) == 1
        ways[fitting[0]] = ways.get(fitting[0], 0) + 1
    flips = [sum(n for (flip, _, _), n in ways.items() if flip == value) for value in (False, True)]
    assert min(flips) > 100
    assert len(ways) > 45  # of 50
    assert moved(seen, flip=False, shift=0) is seen


def test_only_what_is_asked_for_moves():
    seen = pictures(40).values[:, 0]
    flipped = moved(seen, flip=True, shift=0)
    assert all(torch.equal(a, b) or torch.equal(a, b.flip(2)) for a, b in zip(flipped, seen, strict=True))
    pushed = moved(seen, flip=False, shift=1)
    inner = (slice(None), slice(2, -2), slice(2, -2))
    for a, b in zip(pushed, seen, strict=True):
        assert any(
            torch.equal(a[inner], b.roll((down, right), (1, 2))[inner]) for down in (-1, 0, 1) for right in (-1, 0, 1)
        )


@pytest.mark.parametrize("way", [None, NormalSettings(std=3.0), OrthogonalSettings()])
def test_convolutions_start_by_their_names(way):
    def started(seed, **settings):
        layer = encoder(seed, **settings)
        torch.manual_seed(7)
        start(layer, Streams(), way, 4)
        return dict(layer.named_parameters())

    one, two = started(1, residual=True), started(2, residual=True)
    assert all(torch.equal(one[name], two[name]) for name in one)
    plain = started(3)
    assert {name for name in one if "second" not in name} == {*plain}
    assert all(torch.equal(one[name], plain[name]) for name in plain)
    # A way for matrices leaves convolutions as they are without it.
    spread = one["stages.1.convolution.weight"].std().item()
    assert spread == pytest.approx(3.0 if isinstance(way, NormalSettings) else (3 * 8 * 9) ** -0.5, rel=0.1)
    assert (one["stages.0.norm.weight"] == 1).all()
    assert (one["stages.0.norm.bias"] == 0).all()


def test_options_of_the_encoder_are_refused_where_there_are_no_images():
    settings = ModelSettings(cell={"type": "gru", "hidden_size": 4}, image_encoder={"flip": True})
    target = Target("sequence", ("<pad>", "<unk>", "a"), (0, 0, 3), units="word", from_one=True)
    told = "model.image_encoder: the inputs have no images"
    assert told in model_mistakes(settings, {"source": Values(3)}, target, None)
    assert told not in model_mistakes(settings, {"image": Images(8, 8)}, target, None)
