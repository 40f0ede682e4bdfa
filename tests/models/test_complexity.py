import math
import subprocess
import sys

import pytest
import torch
from torch import nn

from neural_mastering.models.complexity import (
    Complexity,
    encoder_complexity,
    flop_count,
    markdown_table,
    parameter_count,
    residual_head_complexity,
)
from neural_mastering.models.encoders import TCN, LogMel
from neural_mastering.models.residual_heads import NoResidual, WaveUNet


def test_a_multiplication_and_an_addition_are_two_operations():
    linear, convolution = nn.Linear(7, 11), nn.Conv1d(3, 5, 9, stride=2, padding=4)
    assert flop_count(lambda: linear(torch.zeros(4, 7))) == 2 * 4 * 7 * 11
    assert flop_count(lambda: convolution(torch.zeros(2, 3, 100))) == 2 * 2 * 3 * 5 * 9 * 50


@pytest.mark.parametrize("size", [8, 1024, 3000])
def test_real_ffts_count_two_and_a_half_n_log_n(size):
    expected = round(2.5 * 6 * size * math.log2(size))
    assert flop_count(lambda: torch.fft.rfft(torch.zeros(2, 3, size))) == expected
    spectrum = torch.zeros(2, 3, size // 2 + 1, dtype=torch.complex64)
    assert flop_count(lambda: torch.fft.irfft(spectrum, n=size)) == expected


def test_frozen_parameters_do_not_count():
    layer = nn.Linear(3, 4)
    layer.bias.requires_grad_(False)
    assert parameter_count(layer) == 12


def test_tcn_by_hand():
    second = 512 * 86
    encoder = TCN(sample_rate=second)
    macs = 0
    for inputs, outputs, kernel, frames in (
        (2, 64, 128, second // 16),
        (64, 96, 8, second // 64),
        (96, 128, 16, second // 256),
        (128, 192, 4, 86),
    ):
        macs += inputs * outputs * kernel * frames
    macs += 7 * 4 * 192 * 192 * 86 + 384 * 512
    row = encoder_complexity("tcn", encoder, seconds=1.0)
    assert row.flops == 2 * macs
    assert row.receptive_field_s == encoder.receptive_field_s


def test_log_mel_counts_its_ffts():
    short = encoder_complexity("log_mel", LogMel(), seconds=4096 / 44_100)
    # One frame of mid and of side, their three products on 80 bands, and the small network.
    fft = round(2.5 * 2 * 4096 * 12)
    mel = 2 * 3 * 2049 * 80
    network = 2 * (185 * 96 * 3 + 6 * 4 * 96 * 96 + 192 * 512 + 346 * 512)
    assert short.flops == fft + mel + network


def test_flops_of_the_residual_follow_the_length():
    head = WaveUNet(z_size=32, channels=(4, 6, 8), kernel_size=5)
    one = residual_head_complexity("one", head, 32, 16_384, 1.0)
    two = residual_head_complexity("two", head, 32, 16_384, 2.0)
    condition = 2 * (32 * 64 + 64 * 2 * (4 + 6 + 8 + 8 + 6 + 4))
    assert two.flops - condition == 2 * (one.flops - condition)
    assert one.receptive_field_s == (2 * head.receptive_field_samples + 1) / 16_384
    assert residual_head_complexity("none", NoResidual()).flops == 0


def test_table():
    table = markdown_table([Complexity("part", 1_234_567, 2_500_000_000, 5.0, 2.986)])
    assert table.splitlines()[-1] == "| part | 1,234,567 | 2.50 | 5 s | 2.99 s |"


@pytest.mark.slow
def test_the_command_prints_a_row_for_each_default_part():
    run = subprocess.run(
        [sys.executable, "-m", "neural_mastering.models.complexity"],
        capture_output=True,
        text=True,
        check=True,
    )
    names = [line.split("|")[1].strip() for line in run.stdout.splitlines()[2:]]
    assert names == [
        "encoder `tcn`",
        "encoder `log_mel`",
        "residual `wave_unet`",
        "residual `wave_unet`, large",
    ]
