"""Tables of the study."""

from collections.abc import Sequence

import numpy as np

from experiments.pair_audit.cases import Case
from experiments.pair_audit.comparison import delay_error, hit, measured, relation, surplus
from neural_mastering.data.alignment_record import Record
from neural_mastering.data.audit.report import PairReport
from neural_mastering.reporting.table import markdown_table


def detection_table(cases: Sequence[Case], found: dict[str, PairReport]) -> str:
    """Per fault: how many, how many found, and in how many pairs of the others it was reported."""
    rows = []
    for fault in dict.fromkeys(case.fault for case in cases):
        group = [case for case in cases if case.fault == fault]
        faulty = [case for case in group if case.kinds]
        extra = sum(bool(surplus(case, found[case.name])) for case in group)
        rows.append(
            {
                "planted": fault,
                "pairs": str(len(group)),
                "found": f"{sum(hit(c, found[c.name]) for c in faulty)}/{len(faulty)}" if faulty else "–",
                "reported, not planted": str(extra),
                "ok": str(sum(found[c.name].state == "ok" for c in group)),
                "fixable": str(sum(found[c.name].state == "fixable" for c in group)),
                "broken": str(sum(found[c.name].state == "broken" for c in group)),
            }
        )
    return markdown_table(rows)


def error_table(cases: Sequence[Case], found: dict[str, PairReport]) -> str:
    """Errors of delay and drift, wrong signs, and locks on a wrong beat."""
    timed = [c for c in cases if measured(c, found[c.name])]
    groups = {
        "no delay planted": [c for c in timed if not c.delay_samples],
        "delay": [c for c in timed if c.fault == "delay"],
        "drift": [c for c in timed if c.drift_ppm],
        "exact loop": [c for c in timed if c.song < 0],
        "all": timed,
    }
    rows = []
    for name, group in groups.items():
        if not group:
            continue
        off = np.array([delay_error(c, found[c.name]) for c in group])
        drift = np.array([abs(relation(found[c.name]).drift_ppm - c.drift_ppm) for c in group])
        signs = sum(
            relation(found[c.name]).assignment.polarity != c.polarity
            or relation(found[c.name]).assignment.swapped != c.swapped
            for c in group
        )
        rows.append(
            {
                "pairs": name,
                "n": str(len(group)),
                "delay error, median": f"{np.median(off):.3f}",
                "95 %": f"{np.percentile(off, 95):.3f}",
                "largest": f"{off.max():.3f}",
                "wrong place (> 5 ms)": str(int((off > 220).sum())),
                "drift error in ppm, median": f"{np.median(drift):.4f}",
                "largest drift error": f"{drift.max():.3f}",
                "wrong polarity or order": str(signs),
            }
        )
    return markdown_table(rows)


def residual_table(cases: Sequence[Case], found: dict[str, PairReport], records: dict[str, Record]) -> str:
    """What the same measurement finds in the files that `nm-data align` has written."""
    rows = []
    for fault in dict.fromkeys(case.fault for case in cases):
        fixable = [c for c in cases if c.fault == fault and found[c.name].state == "fixable"]
        if not fixable:
            continue
        repaired = [records[c.name] for c in fixable if records[c.name].outputs]
        left = [r.residual for r in repaired if "end_delay_samples" in r.residual]
        off = [max(abs(r["delay_samples"]), abs(r["end_delay_samples"])) for r in left]
        rows.append(
            {
                "planted": fault,
                "fixable": str(len(fixable)),
                "repaired": str(len(repaired)),
                "largest delay in the song, median": f"{np.median(off):.3f}" if off else "–",
                "of all": f"{max(off):.3f}" if off else "–",
            }
        )
    return markdown_table(rows)
