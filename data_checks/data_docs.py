"""Data Docs as local HTML: the pages that Great Expectations renders, made to need nothing from the network.

The pages it renders load styles and scripts from a dozen hosts, and show table content that nobody has escaped. So
everything remote and every script is cut out, a style of our own goes in, and a content policy lets nothing else run.
"""

# Great Expectations exports its classes without saying so to type checkers.
# pyright: reportPrivateImportUsage=false

import re
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment

from data_checks.gate import read_reports
from turnwright.storage.store import replace_file

if TYPE_CHECKING:
    from data_checks.validation import Page

PAGES = "data_docs"

_POLICY = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
)
_BACK = '<main><p class="soft"><a href="../index.html">← all gates</a></p></main>'
_REMOTE = re.compile(
    r"<script\b.*?</script\s*>|<link\b[^>]*>|<img\b[^>]*>|<iframe\b.*?</iframe\s*>|<form\b.*?</form\s*>"
    r"|<style\b.*?</style\s*>|<footer\b.*?</footer\s*>|<nav\b.*?</nav\s*>",
    re.DOTALL | re.IGNORECASE,
)
_STYLE = """
:root{color-scheme:light dark;--ink:#1d2330;--soft:#667085;--line:#e2e5ec;--back:#fbfbfd;--card:#fff;--good:#12805c;
--bad:#c0362c;--odd:#b26a00}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9f0;--soft:#98a1b3;--line:#2b3140;--back:#12151c;--card:#191d27;
--good:#4cc38a;--bad:#ff7b6e;--odd:#f0b04d}}
body{margin:0;padding:2rem 1rem;background:var(--back);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main,.container-fluid,.container{max-width:70rem;margin:auto}
h1,h2,h3,h4{line-height:1.25}a{color:inherit}
table{border-collapse:collapse;width:100%;background:var(--card);margin:1rem 0}
td,th{border-bottom:1px solid var(--line);padding:.5rem .75rem;text-align:left;vertical-align:top;
overflow-wrap:anywhere}
th{color:var(--soft);font-weight:600}ul{list-style:none;padding-left:0}
.good{color:var(--good)}.bad{color:var(--bad)}.odd{color:var(--odd)}.soft{color:var(--soft)}
.badge,code,pre{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.875em;white-space:pre-wrap}
.modal,.d-none,.ge-walkthrough-modal,#show-walkthrough,.navigation{display:none}
.table-responsive{overflow-x:auto}
/* Of the pages that Great Expectations renders: what needs scripts is hidden, icons are letters. */
.col-lg-2,.collapse,[data-toggle=collapse]{display:none}
a[href^=".."]{pointer-events:none;text-decoration:none}
.fa-check-circle::before{content:"✓";color:var(--good)}
.fa-times::before,.fa-times-circle::before{content:"✗";color:var(--bad)}
.fa-exclamation-triangle::before{content:"!";color:var(--odd)}
h4,h5,h6{font-size:1.1rem;margin:1.5rem 0 .25rem}
"""
_INDEX = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8">{{ policy|safe }}
<meta name="viewport" content="width=device-width,initial-scale=1"><title>Data checks</title>
<style>{{ style|safe }}</style></head><body><main>
<h1>Data checks</h1>
<p class="soft">One gate after each stage. A failed expectation stops the run, a warning is only reported.</p>
{% for report in reports %}
<h2>{{ report.gate }} <span class="{{ 'good' if report.passed else 'bad' }}">
{{ 'passed' if report.passed else 'failed' }}</span></h2>
<p class="soft">{{ report.results|length }} expectations over
{% for table, rows in report.tables.items() %}{{ table }} ({{ rows }} rows){{ ', ' if not loop.last }}{% endfor %}:
{% for page in pages[report.gate] %}
<a href="{{ folder }}/{{ page }}.html">{{ page.removeprefix(report.gate ~ '.') }}</a>
{{- ', ' if not loop.last }}
{% endfor %}</p>
{% if report.failures or report.warnings %}
<div class="table-responsive"><table>
<tr><th>level</th><th>expectation</th><th>found</th><th>allowed</th><th>rows</th></tr>
{% for problem in report.failures + report.warnings %}
<tr><td class="{{ 'bad' if problem.level == 'fail' else 'odd' }}">{{ problem.level }}</td>
<td><code>{{ problem.table }}.{{ problem.expectation }}</code></td><td>{{ problem.figure }}</td>
<td>{{ problem.limit }}</td>
<td>{% for example in problem.examples %}<div><code>{{ example }}</code></div>{% endfor %}</td></tr>
{% endfor %}
</table></div>
{% endif %}
{% if report.not_checked %}<p class="soft">Not checked: {{ report.not_checked|join('; ') }}</p>{% endif %}
{% endfor %}
</main></body></html>
"""
)


def write_page(folder: Path, stage: str, page: "Page") -> None:
    """Writes the Data Docs page of one frame.

    Raises:
        OSError: the folder cannot be written.
    """
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    document = ValidationResultsPageRenderer().render(page.result)
    html = _REMOTE.sub("", DefaultJinjaPageView().render(document))
    head = f"<head>{_POLICY}<style>{_STYLE}</style>"
    html = re.sub(r"<head\b[^>]*>", lambda _: head, html, count=1, flags=re.IGNORECASE)
    html = re.sub(r"<body\b[^>]*>", lambda tag: tag.group() + _BACK, html, count=1, flags=re.IGNORECASE)
    replace_file(folder / PAGES / f"{stage}.{page.name}.html", html.encode())


def write_index(folder: Path) -> None:
    """Writes `index.html`: every gate that has left a report in the folder.

    Raises:
        OSError: the folder cannot be written.
    """
    reports = read_reports(folder)
    pages = {
        report.gate: sorted(file.stem for file in (folder / PAGES).glob(f"{report.gate}.*.html")) for report in reports
    }
    html = _INDEX.render(reports=reports, pages=pages, folder=PAGES, policy=_POLICY, style=_STYLE)
    replace_file(folder / "index.html", html.encode())
