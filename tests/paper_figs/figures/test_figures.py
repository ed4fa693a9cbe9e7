"""Every figure draws from stored results, says what it shows, and comes out the same each time."""

import dataclasses
import itertools
import re
import zlib

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from full_scale.stored import COMMANDS
from paper_figs import EXPERIMENT_FIGURES, FIGURES, style, write_figures
from paper_figs.export.formats import pdf, png, svg
from paper_figs.export.tex import latex
from paper_figs.style import arms
from sims.runs.store import Result, StoreError, UserError
from theory.claims import CLAIMS

EVERY = pytest.mark.parametrize("name", FIGURES)
KINDS = ("pdf", "png", "txt", "tex")


@EVERY
def test_a_figure_has_the_width_of_one_or_two_columns(name, figures):
    assert figures[name].get_figwidth() in (style.COLUMN_WIDTH, style.FULL_WIDTH)


@EVERY
def test_every_labelled_axis_names_its_quantity(name, figures):
    for axes in figures[name].axes:
        shares = axes.get_shared_x_axes().joined, axes.get_shared_y_axes().joined
        bottom = any(shares[0](axes, other) and other.get_xlabel() for other in figures[name].axes)
        assert (
            axes.get_xlabel()
            or bottom
            or axes.get_label() == "<colorbar>"
            or name == "prediction_measurement"
        )
        assert axes.get_label() != "<colorbar>" or axes.get_ylabel()


@EVERY
def test_a_figure_has_a_legend_or_a_colour_bar(name, figures):
    figure = figures[name]
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes)]
    assert any(legends) or any(axes.get_label() == "<colorbar>" for axes in figure.axes)


@EVERY
def test_a_caption_begins_with_a_title_and_quotes_a_number(name, results):
    caption = FIGURES[name].caption(results)
    title, _, rest = caption.partition(". ")
    assert len(title) < 90
    assert re.search(r"\d", rest)
    assert "None" not in caption and "nan" not in caption.split()


@EVERY
def test_a_missing_result_is_one_line_naming_the_command_that_makes_it(name, results, tmp_path):
    for needed in FIGURES[name].needs:
        fewer = {key: result for key, result in results.items() if key != needed}
        with pytest.raises(UserError) as caught:
            write_figures(fewer, tmp_path, [name])
        message = str(caught.value)
        assert "\n" not in message and needed in message and COMMANDS[needed] in message
    assert not list(tmp_path.iterdir())


def test_every_claim_is_made_visible_by_a_figure():
    shown = {label for figure in (FIGURES | EXPERIMENT_FIGURES).values() for label in figure.shows}
    assert shown == set(CLAIMS)


def test_every_result_that_a_figure_needs_has_a_command():
    needed = {name for figure in (FIGURES | EXPERIMENT_FIGURES).values() for name in figure.needs}
    assert needed <= set(COMMANDS)


def test_an_unknown_figure_is_named_with_those_there_are(results, tmp_path):
    with pytest.raises(UserError, match=r"visible_share.*got pie_chart"):
        write_figures(results, tmp_path, ["pie_chart"])


def test_an_unwritable_folder_is_one_line(results, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        write_figures(results, tmp_path / "file" / "figures", ["visible_share"])


def test_figures_are_written_with_their_captions_and_progress_is_reported(results, tmp_path):
    seen = []
    names = ["visible_share", "circulant_loss"]
    paths = write_figures(results, tmp_path, names, report=lambda done, total: seen.append((done, total)))
    assert [path.name for path in paths] == [f"{name}.{kind}" for name in names for kind in KINDS]
    assert sorted(path for path in tmp_path.iterdir() if path.name[0] != ".") == sorted(paths)
    assert seen == [(0, 2), (1, 2), (2, 2)]
    for name in names:
        assert (tmp_path / f"{name}.txt").read_text() == FIGURES[name].caption(results) + "\n"
        assert (tmp_path / f"{name}.tex").read_text() == latex(FIGURES[name].caption(results)) + "\n"


@EVERY
def test_fonts_are_embedded_whole_as_truetype(name, figures):
    text = unpacked(pdf(figures[name]))
    kinds = set(re.findall(rb"/Subtype /(Type\d|TrueType|CIDFontType\d)", text))
    assert b"/FontFile2" in text
    assert b"Type3" not in kinds and b"Type1" not in kinds


@EVERY
def test_the_same_results_give_the_same_bytes_without_a_date(name, results, figures):
    first, second = figures[name], FIGURES[name].draw(results)
    for write in (pdf, png, svg):
        assert write(first) == write(second)
    assert b"CreationDate" not in unpacked(pdf(first)) and b"<dc:date>" not in svg(first)


def test_png_has_200_dots_per_inch(figures):
    data = png(figures["visible_share"])
    width = int.from_bytes(data[16:20], "big")
    assert width == round(200 * style.COLUMN_WIDTH)


def test_drawing_leaves_the_settings_of_the_caller_alone(results):
    with mpl.rc_context({"font.size": 31.0}):
        png(FIGURES["visible_share"].draw(results))
        assert mpl.rcParams["font.size"] == 31.0


def test_labels_and_reconstruction_differ_in_grey_by_more_than_colour():
    looks = (style.LABELS, style.RECONSTRUCTION, style.CONTROL, style.MEASUREMENT)
    assert len({(look.marker, look.filled) for look in looks}) == len(looks)
    assert style.THEORY.linestyle != style.MEASUREMENT.linestyle == "-"


def lightness(color: str) -> float:
    """L* of CIELAB, 0 to 100: what a colour is in grey."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    luminance = float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
    return 116 * luminance ** (1 / 3) - 16


def test_the_two_losses_differ_in_grey_by_lightness_and_all_colours_from_white():
    assert abs(lightness(style.LABELS.color) - lightness(style.RECONSTRUCTION.color)) > 7
    looks = (style.LABELS, style.RECONSTRUCTION, style.CONTROL, style.MEASUREMENT, style.THEORY)
    assert all(lightness(look.color) < 62 for look in looks)


def test_curves_of_like_lightness_differ_by_marker_or_line():
    looks = list({id(look): look for look in (*arms.LOOKS.values(), arms.PRIOR, arms.DEPTH)}.values())
    for one, other in itertools.combinations(looks, 2):
        assert one.marker != other.marker
        alike = abs(lightness(one.color) - lightness(other.color)) < 3
        assert not alike or one.filled != other.filled or {one.marker, other.marker} == {"s", "v"}


@pytest.mark.parametrize("colors", [style.POSITIVE], ids=["positive"])
def test_the_sequential_scale_darkens_without_turning(colors):
    luminance = [np.dot(to_rgb(colors(x)), (0.2126, 0.7152, 0.0722)) for x in np.linspace(0, 1, 64)]
    assert (np.diff(luminance) < 0).all()


def test_the_signed_scale_is_white_at_zero_and_darker_for_positive():
    grey = lambda x: np.dot(to_rgb(style.SIGNED(x)), (0.2126, 0.7152, 0.0722))
    assert to_rgb(style.SIGNED(0.5)) == (1.0, 1.0, 1.0)
    assert all(grey(0.5 + x) < grey(0.5 - x) for x in (0.1, 0.2, 0.3, 0.4, 0.49))


def test_the_accuracy_of_a_head_that_is_not_trained_yet_is_not_drawn(results):
    for name, panels in (("learning_curves", (0, 1)), ("overview", (2,))):
        axes = (FIGURES | EXPERIMENT_FIGURES)[name].draw(results).axes
        for panel in panels:
            starts = {line.get_color(): line.get_xdata()[0] for line in axes[panel].get_lines()}
            assert starts[style.LABELS.color] == 0 and starts[style.RECONSTRUCTION.color] >= 1450


def test_captions_follow_the_numbers(results):
    blindness = results["blindness"]
    doubled = {**blindness.arrays, "visible_share_measured": 2 * blindness.arrays["visible_share_measured"]}
    changed: Result = dataclasses.replace(blindness, arrays=doubled)
    caption = FIGURES["visible_share"].caption
    assert "prediction: 0." in caption(results)
    assert "prediction: 1.00." in caption({**results, "blindness": changed})


def unpacked(data: bytes) -> bytes:
    """A PDF with its streams inflated."""
    streams = re.findall(rb"stream\r?\n(.*?)endstream", data, re.S)
    return data + b"".join(_inflated(stream) for stream in streams)


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


def test_a_figure_written_twice_gives_the_same_bytes(results):
    figure = FIGURES["attention_maps"].draw(results)
    assert pdf(figure) == pdf(figure)
