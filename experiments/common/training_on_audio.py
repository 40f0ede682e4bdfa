"""Settings of nm-train that the studies on degraded songs share, as Hydra overrides."""

STEPS_AN_EPOCH = 10
"""Short epochs, of random crops, so that the learning rate's schedule has steps."""

TRAINING = (
    "data=degraded",
    "data.batch_size=8",
    "data.segment_s=2.5",
    "data.num_workers=0",
    "model/residual_head=none",
    "optimizer.lr=0.001",
    "scheduler=cosine",
    f"trainer.limit_train_batches={STEPS_AN_EPOCH}",
    "validation_table=false",
    "callbacks.pictures=null",
    "callbacks.clips=null",
    # tone, dynamics and width at the target's loudness, which nm-master sets anyway; the level by its own term
    "loss/term@loss.terms.mr_stft=multi_resolution_stft_matched",
    "loss/term@loss.terms.a_weighted=a_weighted_matched",
    "loss.terms.mr_stft.term.term.fft_sizes=[4096,1024,256]",
)

BUNDLED_SHAPE = (
    "z_size=128",
    "+model.encoder.channels=8",
    "+model.encoder.dilations=[1]",
    "model.eq_head.hidden_size=128",
    "model.eq_head.eq.gain_range_db=9.0",
    "model.eq_head.eq.q_high=2.0",
)
"""The shape of the bundled model, but for its number of bands."""

FROZEN_ENCODER = "callbacks.freeze.parts={encoder: -1}"

EVALUATION = ("--no-ablations", "--no-peers", "--no-report", "--segments", 0, "--jobs", 1, "--overwrite")
"""Options of nm-eval: whole songs and numbers alone."""


def gates(steps: int) -> tuple[str, ...]:
    """Gates that stay open for so many steps, and whose price then rises over as many."""
    return (
        f"model.eq_head.open_steps={steps}",
        f"loss.terms.gates.delay_steps={steps}",
        f"loss.terms.gates.ramp_steps={steps}",
    )


def length(steps: int) -> tuple[str, ...]:
    """A run of so many steps that validates once, at the end: nothing is chosen among checkpoints."""
    epochs = max(round(steps / STEPS_AN_EPOCH), 1)
    return f"trainer.max_epochs={epochs}", f"trainer.check_val_every_n_epoch={epochs}"
