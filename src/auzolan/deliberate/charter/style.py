"""How a published constitution looks: the style sheet of the page of a deliberation, and what it adds.

It adds no colours of its own, so their contrast is that of `page_style`.
"""

from __future__ import annotations

from auzolan.deliberate.page_style import STYLE as _STYLE

_MORE = """
.status{display:inline-block;margin:.2rem 0 .6rem;padding:.3rem .8rem;border:2px solid currentColor;border-radius:4px;
 font-weight:600}
.status.open{border-style:dashed}
.warn{margin:0 0 .8rem;padding:.6rem .9rem;background:var(--warn-ground);color:var(--warn);
 border:1px solid currentColor;border-radius:4px;font-weight:600}
.langs{margin:0 0 1.5rem;padding:0;border:0}
ol.short{margin:1.4rem 0 0;padding:0;list-style:none;font-family:"Iowan Old Style",Charter,"Palatino Linotype",
 Palatino,Georgia,"Liberation Serif",serif;font-size:1.125rem;line-height:1.4}
ol.short li{margin:.35rem 0;padding-left:2.6rem;text-indent:-2.6rem;overflow-wrap:anywhere}
ol.short a{display:inline-block;min-width:2.2rem;padding:.15rem 0;text-indent:0}
.floor{margin:1rem 0;padding:0 0 0 1.2rem;border-left:4px solid var(--agree);list-style:none}
.floor li{margin:.5rem 0}
article{padding:1.4rem 0 1.2rem;border-top:1px solid var(--line)}
article h3{margin:0;color:var(--quiet);font:600 .95rem system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}
article .said-text{margin:.25rem 0 .6rem;font-size:1.4rem;line-height:1.35;text-wrap:pretty}
article .support{margin:.4rem 0}
.said-text,.voted-text{font-family:"Iowan Old Style",Charter,"Palatino Linotype",Palatino,Georgia,"Liberation Serif",
 serif;overflow-wrap:anywhere}
.voted{margin:.2rem 0 .7rem;padding-left:.9rem;border-left:3px solid var(--line)}
.against{font-weight:600}
ul.from{margin:.2rem 0 0;padding:0 0 0 .9rem;border-left:3px solid var(--line);list-style:none}
ul.from li{margin:.2rem 0}
ol.left{margin:0;padding:0;list-style:none}
ol.left>li{padding:.8rem 0;border-top:1px solid var(--line);break-inside:avoid}
ol.left .said-text{margin:0;font-size:1.0625rem;line-height:1.45}
ol.left p{margin:.15rem 0}
ul.steps{padding-left:1.2rem}
ul.steps li{margin:.5rem 0}
code{font-size:.92em;overflow-wrap:anywhere}
.plain td{white-space:normal}
.facts div{justify-content:flex-end}
.plain thead th{white-space:normal}
.plain thead td{border-top:0}
.plain tbody th{font-weight:400}
.plain code{white-space:nowrap}
.lacks{font-weight:600}
@media (max-width:34rem){
 article .said-text{font-size:1.25rem}
}
@media print{
 article{break-inside:avoid}
 .langs{display:none}
 details>summary{list-style:none}
}
"""

STYLE = _STYLE + _MORE
