"""The bands of an equaliser as a table."""

from neural_mastering.reporting.charts import numbered_bands
from neural_mastering.reporting.html_table import number_cell, scrolling
from neural_mastering.reporting.markup import Html, frequency, tag
from neural_mastering.reporting.report_data import EqCurve


def bands_table(eq: EqCurve) -> Html:
    """The bands with the numbers that the chart gives them."""
    left = ("", "Kind")
    head = tag(
        "tr",
        *(
            tag("th", title, scope="col", class_="text" if title in left else None)
            for title in (*left, "Frequency", "Gain (dB)", "Q")
        ),
    )
    rows = [
        tag(
            "tr",
            tag("th", i, scope="row", class_="count"),
            tag("td", band.kind.replace("_", " "), class_="text"),
            tag("td", frequency(band.frequency_hz), data_value=repr(float(band.frequency_hz))),
            number_cell(band.gain_db, 2, signed=True),
            number_cell(band.q, 2),
        )
        for i, band in enumerate(numbered_bands(eq.bands), start=1)
    ]
    return scrolling(tag("table", tag("thead", head), tag("tbody", *rows)))
