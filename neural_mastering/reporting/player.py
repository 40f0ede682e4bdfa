"""Loudness-matched players: their markup and data; the script of the page brings them to life."""

import math
from collections.abc import Sequence

from neural_mastering.reporting.audio_clip import EncodedClip
from neural_mastering.reporting.colours import Colours
from neural_mastering.reporting.markup import Html, duration, number, script_json, tag

KEYS = (
    ("Space", "play, pause"),
    ("1 … 9", "hear that source, at the same position"),
    ("← →", "back, forward by 2 s"),
    ("M", "loudness matching on, off"),
    ("L", "loop on, off"),
    ("B", "blind comparison"),
    ("X", "ABX test"),
)


def matched_gains_db(clips: Sequence[EncodedClip]) -> tuple[float, list[float]]:
    """The loudness that all clips are brought to, and the gains that do it, none above 0 dB.

    That of the quietest clip: the others are turned down to it, so nothing can clip. Silent clips are left alone
    and count for nothing; with nothing but silence the loudness is −inf.
    """
    audible = [clip.lufs for clip in clips if math.isfinite(clip.lufs)]
    common = min(audible, default=-math.inf)
    return common, [common - clip.lufs if math.isfinite(clip.lufs) else 0.0 for clip in clips]


def true_gains_db(clips: Sequence[EncodedClip]) -> list[float]:
    """Gains with which the clips keep their true level differences, none above 0 dB."""
    restored = [-clip.stored_gain_db for clip in clips]
    return [gain - max(restored, default=0.0) for gain in restored]


def excerpt_of(clips: Sequence[EncodedClip]) -> tuple[float, float] | None:
    """Begin and end of what the player plays, in seconds of the song; None without clips."""
    return (clips[0].start_s, clips[0].start_s + clips[0].seconds) if clips else None


def player(song: str, clips: Sequence[EncodedClip], colours: Colours) -> Html:
    """A player for the clips of one song; the clips must have the same length and start."""
    common, matched = matched_gains_db(clips)
    seconds, start_s = min(clip.seconds for clip in clips), clips[0].start_s
    data = {
        "song": song,
        "seconds": seconds,
        "start_s": start_s,
        "matched_lufs": common,
        "sources": [
            {
                "name": clip.name,
                "colour": colours.class_of(clip.name, clip.role),
                "lufs": clip.lufs,
                "matched_db": gain,
                "true_db": true,
            }
            for clip, gain, true in zip(clips, matched, true_gains_db(clips), strict=True)
        ],
    }
    quietest = next((clip.name for clip in clips if clip.lufs == common), "")
    about = [f"Excerpt {duration(start_s)} to {duration(start_s + seconds)}. "] if start_s > 0 else []
    about.append(
        f"Matched to {number(common)} LUFS, the loudness of the quietest source here ({quietest}); "
        "the gains stand on the buttons."
        if quietest
        else "This excerpt is silent."
    )
    about.append(
        " 16-bit FLAC."
        if clips[0].mime == "audio/flac"
        else " Ogg Vorbis, about 150 kbit/s, for all sources alike."
    )
    transport = tag(
        "div",
        tag("button", type="button", class_="play", aria_label="Play"),
        tag(
            "div",
            _waveform(clips[0].peaks),
            tag("i", class_="at"),
            class_="seek",
            role="slider",
            tabindex="0",
            aria_label="Position",
            aria_valuemin="0",
            aria_valuemax=f"{seconds:.1f}",
            aria_valuenow="0",
        ),
        tag("output", f"0:00 / {duration(seconds)}", class_="time"),
        class_="transport",
    )
    options = tag(
        "div",
        tag(
            "label",
            _input(type="checkbox", checked=True, autocomplete="off"),
            " Loudness matched",
            class_="matched",
        ),
        tag("label", _input(type="checkbox", checked=True, autocomplete="off"), " Loop", class_="loop"),
        tag(
            "label",
            "Volume ",
            _input(type="range", min="-40", max="0", step="1", value="0", autocomplete="off"),
            class_="volume",
        ),
        tag(
            "span",
            tag("button", "Blind comparison", type="button", class_="start-blind"),
            tag("button", "ABX test", type="button", class_="start-abx"),
            class_="tests",
        ),
        class_="options",
    )
    return tag(
        "div",
        Html(f'<script type="application/json" class="player-data">{script_json(data)}</script>'),
        transport,
        tag("div", class_="sources", role="radiogroup", aria_label="Source"),
        options,
        tag("div", class_="test", hidden=True),
        tag("p", class_="status", role="status"),
        tag("p", *about, class_="caption"),
        tag("noscript", tag("p", "The players need JavaScript (it is inside this file; nothing is loaded).")),
        *(Html(f'<script type="text/plain" class="clip">{clip.data}</script>') for clip in clips),
        class_="player",
    )


def key_help() -> Html:
    """The keys that work while a player is on the page."""
    rows = [tag("li", tag("kbd", key), " ", what) for key, what in KEYS]
    return tag("ul", *rows, class_="keys", aria_label="Keyboard")


def listening_log(*more: Html) -> Html:
    """Where the choices of blind comparisons and ABX tests gather, with the buttons that save them."""
    head = tag("thead", tag("tr", *(tag("th", t, scope="col") for t in ("Song", "Test", "Choice", ""))))
    return tag(
        "section",
        tag("h2", "Listening log"),
        tag("p", "No choices yet.", class_="count", role="status"),
        tag(
            "p",
            tag("button", "Save as JSON", type="button", class_="json"),
            tag("button", "Save as CSV", type="button", class_="csv"),
            tag("button", "Forget", type="button", class_="clear quiet"),
            class_="actions",
        ),
        tag("div", tag("table", head, tag("tbody"), hidden=True), class_="scroll"),
        *more,
        id="listening-log",
        class_="screen-only",
    )


def _input(**attributes: object) -> Html:
    return Html(tag("input", **attributes).removesuffix("</input>"))


def _waveform(peaks: Sequence[int]) -> Html:
    above = [f"{i},{50 - p / 2:g}" for i, p in enumerate(peaks)]
    below = [f"{i},{50 + p / 2:g}" for i, p in reversed(list(enumerate(peaks)))]
    return tag(
        "svg",
        tag("polygon", points=" ".join([*above, *below])),
        viewBox=f"0 0 {max(len(peaks) - 1, 1)} 100",
        preserveAspectRatio="none",
        aria_hidden="true",
        focusable="false",
    )
