"""Templates and the table that all pages show: values are text, and what is missing is an error."""

import jinja2
import pytest

from pages.ui.widgets import templating
from pages.ui.widgets.tables import Cell, Table, table_html
from pages.ui.widgets.templating import render


def test_a_value_that_the_template_does_not_get_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match="split"):
        render("atlas/templates/split.html", bound="")
    with pytest.raises(jinja2.TemplateNotFound):
        render("atlas/templates/nothing.html")


def test_every_template_compiles():
    names = templating._ENVIRONMENT.list_templates(["html"])
    assert len(names) >= 10
    for name in names:
        templating._ENVIRONMENT.get_template(name)


def test_lines_of_a_template_are_no_spaces_between_cells():
    table = Table(("", "Recall"), [[Cell("street", strong=True), Cell("40", below="n = 3")]], figures=True)
    assert table_html(table) == (
        '<div class="ugc-scroll" tabindex="0"><table class="ugc-table is-figures">'
        '<thead><tr><td></td><th scope="col">Recall</th></tr></thead>'
        "<tbody><tr><td><b>street</b></td><td>40<br><small>n = 3</small></td></tr></tbody></table></div>"
    )


def test_rows_bars_and_labels_of_a_table():
    cells = [Cell("depth 1", aside="(base)"), Cell("53\u202f000", bar=56.64)]
    html = table_html(Table(("Run", "Recall"), [cells], bars=True, row_heads=True, label="Figures"))
    assert '<th scope="row">depth 1 <small>(base)</small></th>' in html
    assert '<td><span class="ugc-bar" style="width:56.6%"></span>53\u202f000</td>' in html
    assert 'class="ugc-table ugc-bars"' in html
    assert 'role="region" aria-label="Figures"' in html


def test_cells_headings_and_labels_are_text():
    hostile = '"><script>x</script>'
    cell = Cell(hostile, aside=hostile, below=hostile)
    html = table_html(Table((hostile,), [[cell]], label=hostile))
    assert "<script" not in html
    assert html.count("&#34;&gt;&lt;script&gt;") == 5
