"""How the page of a deliberation looks: one style sheet, and votes as tables with bars; nothing is loaded.

Text contrast is at least 4.5:1 and that of marks 3:1 on their ground, in the light and in the dark
(WCAG 2.2, 1.4.3 and 1.4.11; tests/deliberate/test_page.py computes it). Nothing is told by colour
alone: disagreement is striped, groups have letters and shapes.
"""

from __future__ import annotations

from collections.abc import Iterable

from auzolan.deliberate.opinion import VoteCount
from auzolan.deliberate.overview import FLATTERING, Overview, apartness, percent

COLOURED_GROUPS = 6  # further groups are drawn in the colour of text, told apart by letter

LIGHT = {
    "ground": "#ffffff",
    "soft": "#f5f6f4",
    "line": "#d9dcd8",
    "ink": "#1c2126",
    "quiet": "#565e66",
    "agree": "#1d5f99",
    "disagree": "#b4480f",
    "pass": "#dfe2e5",
    "warn": "#7a2e00",
    "warn-ground": "#fff1e6",
    "g0": "#0b6e75",
    "g1": "#8a2d83",
    "g2": "#866000",
    "g3": "#3b4cb8",
    "g4": "#2f6b2b",
    "g5": "#a3204f",
}
DARK = {
    "ground": "#14181c",
    "soft": "#1c2227",
    "line": "#363e45",
    "ink": "#e7eaec",
    "quiet": "#a6b0b8",
    "agree": "#69aee8",
    "disagree": "#ee9058",
    "pass": "#3c454d",
    "warn": "#ffc9a3",
    "warn-ground": "#3a2314",
    "g0": "#4fc3c9",
    "g1": "#dc8ad5",
    "g2": "#d6b04a",
    "g3": "#9aa8ff",
    "g4": "#84c77e",
    "g5": "#f58aac",
}


def _variables(colours: dict[str, str]) -> str:
    return ";".join(f"--{name}:{value}" for name, value in colours.items())


_RULES = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);
 font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
header,main,footer{max-width:46rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2.5rem}
footer{margin-top:4rem;padding-bottom:3rem;
 color:var(--quiet);font-size:.875rem}
footer::before{content:"";display:block;border-top:1px solid var(--line);margin-bottom:1rem}
h1,h2,h3,q,.q{font-family:"Iowan Old Style",Charter,"Palatino Linotype",Palatino,Georgia,"Liberation Serif",serif}
h1{font-size:clamp(1.75rem,1.2rem + 2.6vw,2.6rem);line-height:1.15;font-weight:600;margin:0 0 1rem;text-wrap:balance}
h2{font-size:1.55rem;line-height:1.25;font-weight:600;margin:3.5rem 0 .6rem}
h3{font-size:1.15rem;line-height:1.3;font-weight:600;margin:2rem 0 .4rem}
h1,h2,h3,p,li,summary,.s{overflow-wrap:anywhere}
p{margin:.5rem 0}
a{color:inherit;text-decoration:underline;text-decoration-color:var(--quiet);text-underline-offset:.15em;
 text-decoration-thickness:1px}
a:hover{text-decoration-color:currentColor;text-decoration-thickness:2px}
:focus-visible{outline:3px solid var(--agree);outline-offset:2px;border-radius:2px}
:target{background:var(--soft);box-shadow:0 0 0 .6rem var(--soft)}
.quiet,figcaption,caption{color:var(--quiet);font-size:.9rem}
.all+details{margin-top:0;border-top:1px solid var(--line)}
.demo{margin:0 0 1.5rem;padding:.6rem .9rem;background:var(--warn-ground);color:var(--warn);
 border:1px solid currentColor;border-radius:4px;font-weight:600}
.facts{display:flex;flex-wrap:wrap;gap:.4rem 2.2rem;margin:1.6rem 0 0;padding:0}
.facts div{display:flex;flex-direction:column-reverse}
.facts dt{color:var(--quiet);font-size:.875rem}
.facts dd{margin:0;font-size:1.5rem;line-height:1.2;font-variant-numeric:tabular-nums}
nav{margin-top:1.6rem;padding:.7rem 0;border-top:1px solid var(--line);border-bottom:1px solid var(--line)}
nav ul{display:flex;flex-wrap:wrap;gap:.3rem 1.4rem;margin:0;padding:0;list-style:none;font-size:.95rem}
figure{margin:1rem 0}
svg.map{display:block;width:100%;height:auto;background:var(--soft);border-radius:6px}
.label{font:600 9px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;fill:var(--ink);text-anchor:middle}
.label rect{fill:var(--soft);fill-opacity:.88}
.dots{fill:currentColor;fill-opacity:.62;stroke:currentColor;stroke-width:.5}
.none{fill:none}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:.3rem 0}
th{font-weight:600;text-align:left}
thead th{font-weight:400;color:var(--quiet);font-size:.8125rem;vertical-align:bottom}
td,th{padding:.28rem 0 .28rem .8rem;vertical-align:middle}
td:first-child,th:first-child{padding-left:0}
td,.n{text-align:right;white-space:nowrap}
.plain td,.plain th{border-top:1px solid var(--line)}
.plain thead th{border-top:0}
.key{display:inline-block;width:.85em;height:.85em;vertical-align:-.06em;margin-right:.4em}
ol.all,ul.said{margin:0;padding:0;list-style:none}
ul.said li{margin:.9rem 0}
.q{font-size:1.0625rem;line-height:1.45}
.side{font-weight:600}
ol.all>li{padding:1.3rem 0 1.2rem;border-top:1px solid var(--line);break-inside:avoid}
ol.all .q{margin:0 0 .2rem;font-size:1.15rem}
.id{color:var(--quiet);font:400 .8125rem system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;white-space:nowrap}
.votes td,.votes th{padding-top:.1rem;padding-bottom:.1rem;font-size:.9375rem}
.votes thead th{font-size:.8125rem}
.votes th{min-width:2.6rem}
.votes td:nth-child(3){min-width:7rem}
.votes td:nth-child(4),.votes td:nth-child(6){min-width:3.3rem}
.votes .b{width:100%;text-align:left}
.votes small{color:var(--quiet);font-size:.8125rem;margin-left:.45em}
.votes tbody th{white-space:nowrap}
.s{display:block;min-width:5rem;max-width:12rem;white-space:normal}
.bar{display:flex;position:relative;height:.8rem;min-width:4rem;border-radius:2px;overflow:hidden;
 background:var(--pass);forced-color-adjust:none;-webkit-print-color-adjust:exact;print-color-adjust:exact}
.bar i{display:block;min-width:2px}
.bar .a,.swatch.a{background:var(--agree)}
.bar .d,.swatch.d{background:repeating-linear-gradient(135deg,var(--disagree) 0 3px,var(--ground) 3px 5px)}
.bar .p{min-width:0}
.bar b{position:absolute;top:calc(50% - 1px);height:2px;background:var(--ink);box-shadow:0 0 0 1px var(--ground)}
.bar.empty{background:none;border:1px dashed var(--line)}
.swatch{display:inline-block;width:1.6em;height:.75em;border-radius:2px;margin:0 .35em 0 0;vertical-align:-.05em;
 forced-color-adjust:none;-webkit-print-color-adjust:exact;print-color-adjust:exact}
.swatch.p{background:var(--pass)}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.3rem;margin:.8rem 0;padding:0;list-style:none;font-size:.9rem}
.swatch.c{background:linear-gradient(var(--ink),var(--ink)) center/100% 2px no-repeat}
details{margin:1rem 0}
summary{cursor:pointer;padding:.5rem 0;font-weight:600}
li details{margin:.4rem 0 0}
li summary{font-weight:400;font-size:.9rem;color:var(--quiet);padding:.2rem 0}
@media (max-width:34rem){
 body{font-size:1rem}
 header{padding-top:1.5rem}
 header,main,footer{padding-left:1rem;padding-right:1rem}
 td,th{padding-left:.5rem}
 .facts{display:grid;grid-template-columns:1fr 1fr}
 .votes th{min-width:2.3rem}
 .votes td:nth-child(3){min-width:3.4rem}
 .votes td:nth-child(4),.votes td:nth-child(6){min-width:2.6rem}
 .votes small{display:block;margin:-.2rem 0 0;line-height:1.2}
 .bar{min-width:3rem}
 .label{font-size:13px}
}
@media print{
 body{font-size:10pt}
 header,main,footer{max-width:none;padding-left:0;padding-right:0}
 nav{display:none}
 svg.map{max-height:9cm}
 h2,h3{break-after:avoid}
 figure,table,ul.said li{break-inside:avoid}
 a{text-decoration:none}
 details::details-content{content-visibility:visible;block-size:auto}
}
"""

_GROUPS = "".join(f".g{number}{{color:var(--g{number})}}" for number in range(COLOURED_GROUPS))

STYLE = (
    f":root{{color-scheme:light dark;{_variables(LIGHT)}}}"
    f"@media screen and (prefers-color-scheme:dark){{:root{{{_variables(DARK)}}}}}"
    f"{_RULES}{_GROUPS}"
)

LEGEND = (
    '<ul class="legend"><li><span class="swatch a"></span>agree</li><li><span class="swatch p"></span>pass</li>'
    '<li><span class="swatch d"></span>disagree (striped)</li>'
    '<li><span class="swatch c"></span>plausible range of “agree”</li></ul>'
)


def votes_table(rows: Iterable[str]) -> str:
    """Return a table of votes from its rows."""
    heads = "".join(f'<th scope="col" class="n">{head}</th>' for head in ("agree", "pass", "disagree", "votes"))
    return (
        f'<table class="votes"><thead><tr><td></td><td class="b"></td>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def votes_row(name: str, cell: VoteCount, bounds: tuple[float, float] | None) -> str:
    """Return one row of votes; the bar repeats the numbers beside it, so it is hidden from screen readers."""
    passes = cell.seen - cell.agree - cell.disagree
    interval, whisker = "", ""
    if cell.seen and bounds:
        low, high = (round(bound * 100) for bound in bounds)
        interval = f"<small>{low}–{high}</small>"
        whisker = f'<b style="left:{low}%;width:{high - low}%"></b>'
    parts = (("a", cell.agree), ("p", passes), ("d", cell.disagree))
    bar = "".join(f'<i class="{part}" style="flex:{count}"></i>' for part, count in parts if count)
    filled = f'<div class="bar" aria-hidden="true">{bar}{whisker}</div>'
    shares = "".join(f"<td>{percent(count, cell.seen)}{interval if part == 'a' else ''}</td>" for part, count in parts)
    return (
        f'<tr><th scope="row">{name}</th><td class="b">'
        f"{filled if cell.seen else _EMPTY_BAR}</td>{shares}<td>{cell.seen:,}</td></tr>"
    )


_EMPTY_BAR = '<div class="bar empty" aria-hidden="true"></div>'


def apartness_paragraphs(overview: Overview) -> str:
    """Return how far apart groups are, and what that does not show."""
    if overview.silhouette is None:
        return f"<p>{FLATTERING}</p>"
    return f"<p>{apartness(overview.silhouette, sum(overview.sizes), overview.chance)}</p><p>{FLATTERING}</p>"
