"""Spectra, cepstra, slopes and resampling against formulas worked out otherwise."""

import numpy as np
import pytest
import scipy.fft
import scipy.signal
import torch
from audio_loading import tone

from rnncli.errors import ConfigError
from rnncli.inputs.audio.settings import LogMelSettings, MFCCSettings
from rnncli.inputs.audio.sounds import resampled
from rnncli.inputs.audio.spectra import FLOOR, Spectra, cosines, mel_filters, slopes

NOISE = np.random.default_rng(5).normal(size=3001).astype(np.float32)


def hand_filters(count, points, rate, low, high):
    """Triangle by triangle and frequency by frequency, by the formula of HTK."""

    def mel(frequency):
        return 1127 * np.log(1 + frequency / 700)

    def frequency(mel):
        return 700 * (np.exp(mel / 1127) - 1)

    step = (mel(high) - mel(low)) / (count + 1)
    table = np.zeros((points // 2 + 1, count))
    for number in range(count):
        left, top, right = (frequency(mel(low) + step * (number + k)) for k in range(3))
        for bin in range(points // 2 + 1):
            at = bin * rate / points
            if left < at <= top:
                table[bin, number] = (at - left) / (top - left)
            elif top < at < right:
                table[bin, number] = (right - at) / (right - top)
    return table


@pytest.mark.parametrize(
    ("count", "points", "rate", "low", "high"), [(26, 512, 8000, 0, 4000), (7, 1024, 22050, 90, 7600)]
)
def test_mel_filters_are_those_of_the_formula(count, points, rate, low, high):
    ours = mel_filters(count, points, rate, low, high).numpy()
    # 2595 log10 of HTK is 1127.01 ln.
    np.testing.assert_allclose(ours, hand_filters(count, points, rate, low, high), atol=2e-4)
    assert ours.max() > 0.9


def hand_log_mel(samples, rate, window, hop, points, mels):
    """Window by window with numpy's transform."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    rows = []
    for start in range(0, len(samples) - window + 1, hop):
        power = np.abs(np.fft.rfft(samples[start : start + window].astype(float) * hann, points)) ** 2
        rows.append(np.log(power @ mel_filters(mels, points, rate, 0, rate / 2).double().numpy() + FLOOR))
    return np.array(rows)


@pytest.mark.parametrize("steps", [200, 279, 280, 3001])
def test_log_mel_is_that_of_each_window(steps):
    spectra = Spectra(LogMelSettings(type="log_mel", mels=11), 8000)
    ours = spectra(NOISE[:steps])
    assert spectra.window == 200 and spectra.points == 512
    np.testing.assert_allclose(ours, hand_log_mel(NOISE[:steps], 8000, 200, 80, 512, 11), rtol=1e-4)


def test_a_tone_stands_in_the_filter_of_its_frequency():
    spectra = Spectra(LogMelSettings(type="log_mel", mels=20, low=100, high=3900), 8000)
    filters = hand_filters(20, 512, 8000, 100, 3900)
    for frequency in (500, 1500, 3000):
        found = spectra(tone(frequency).astype(np.float32)).mean(0).argmax()
        assert found == filters[round(frequency / 8000 * 512)].argmax()


def test_cepstra_are_the_cosine_transform_of_the_log_mel_spectrum():
    np.testing.assert_allclose(cosines(23).T.numpy(), scipy.fft.dct(np.eye(23), norm="ortho", axis=0), atol=1e-6)
    log_mel = Spectra(LogMelSettings(type="log_mel", mels=23), 8000)(NOISE)
    ours = Spectra(MFCCSettings(type="mfcc", mels=23, coefficients=9), 8000)(NOISE)
    np.testing.assert_allclose(ours, scipy.fft.dct(log_mel, norm="ortho", axis=1)[:, :9], rtol=1e-4, atol=1e-4)


def test_slopes_are_least_squares_lines_through_five_steps():
    values = np.random.default_rng(3).normal(size=(9, 4))
    padded = np.pad(values, ((2, 2), (0, 0)), mode="edge")
    wanted = [np.polyfit(np.arange(5), padded[step : step + 5], 1)[0] for step in range(9)]
    np.testing.assert_allclose(slopes(torch.from_numpy(values)).numpy(), wanted, atol=1e-12)


def test_slopes_stand_beside_what_they_are_the_slopes_of():
    plain, twice = (Spectra(MFCCSettings(type="mfcc", mels=20, coefficients=5, deltas=n), 8000) for n in (0, 2))
    ours, base = torch.from_numpy(twice(NOISE)), torch.from_numpy(plain(NOISE))
    assert (plain.width, twice.width) == (5, 15)
    assert torch.equal(ours, torch.cat([base, slopes(base), slopes(slopes(base))], dim=1))


@pytest.mark.parametrize(("source", "target"), [(44100, 8000), (8000, 16000), (16000, 11025), (11127, 8000)])
def test_resampling_is_that_of_scipy_where_both_pass(source, target):
    generator = np.random.default_rng(7)
    times = np.arange(source // 2) / source
    highest = 0.75 * min(source, target) / 2
    signal = sum(
        np.sin(2 * np.pi * frequency * times + phase)
        for frequency, phase in zip(generator.uniform(50, highest, 6), generator.uniform(0, 6, 6), strict=True)
    )
    common = np.gcd(source, target)
    ours = resampled(signal.astype(np.float32), source, target)
    wanted = scipy.signal.resample_poly(signal, target // common, source // common, window=("kaiser", 12.0))
    assert len(ours) == len(wanted) == -(-len(signal) * target // source)
    middle = slice(len(ours) // 5, -len(ours) // 5)
    np.testing.assert_allclose(ours[middle], wanted[middle], atol=0.01)


def test_resampling_keeps_the_waves_and_drops_what_the_lower_rate_can_not_hold():
    def wave(frequency, rate):
        return np.sin(2 * np.pi * frequency * np.arange(rate) / rate).astype(np.float32)

    middle = slice(200, -200)
    np.testing.assert_allclose(resampled(wave(440, 22050), 22050, 8000)[middle], wave(440, 8000)[middle], atol=2e-3)
    np.testing.assert_allclose(
        resampled(wave(3000, 8000), 8000, 48000)[1200:-1200], wave(3000, 48000)[1200:-1200], atol=2e-3
    )
    assert np.abs(resampled(wave(5000, 22050), 22050, 8000)[middle]).max() < 2e-3
    assert resampled(NOISE, 8000, 8000) is NOISE


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"high": 4001.0}, "which have them up to 4000 Hz"),
        ({"low": 900.0, "high": 800.0}, "from 900 to 800 Hz"),
        ({"mels": 200}, "200 filters"),
        ({"window": 0.1}, "two samples"),
    ],
)
def test_features_that_the_rate_does_not_admit(options, message):
    with pytest.raises(ConfigError, match=message):
        Spectra(LogMelSettings(type="log_mel", **options), 8000)
