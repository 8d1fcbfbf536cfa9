# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The style sheet of the HTML reports. A page is readable without it. This module is private to the collection.

Each text has at least 4.5:1 against its ground in both schemes (WCAG 2.2, 1.4.3); a test computes it.
"""

from __future__ import annotations

#: Colours as (light, dark).
COLOURS = {
    "ground": ("#ffffff", "#15181c"),
    "raised": ("#f5f6f8", "#1d2126"),
    "text": ("#1b1f24", "#e4e7eb"),
    "quiet": ("#565f6b", "#a3acb8"),
    "line": ("#d8dce2", "#353b43"),
    "link": ("#1f5a94", "#8ab8e6"),
    "wrong": ("#9c2a1a", "#f2a091"),
    "wrong-ground": ("#fcefec", "#3a211d"),
    "good": ("#25663f", "#8fd0aa"),
    "untold": ("#5a5340", "#cfc49f"),
    "untold-ground": ("#f8f5ea", "#2d2a1f"),
}


def _variables(scheme: int) -> str:
    return "".join(f"--{name}:{pair[scheme]};" for name, pair in COLOURS.items())


STYLE = (
    f":root{{color-scheme:light dark;{_variables(0)}}}"
    f"@media (prefers-color-scheme:dark){{:root{{{_variables(1)}}}}}"
    """
*{box-sizing:border-box}
html{font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--text)}
main,nav{max-width:76rem;margin:0 auto;padding:0 1.5rem}
main{padding-top:2.5rem;padding-bottom:5rem}
nav{padding-top:1rem}
h1,h2,h3,h4{line-height:1.25;font-weight:600;text-wrap:balance}
h1{font-size:1.9rem;letter-spacing:-.015em;margin:0 0 1rem}
h2{font-size:1.3rem;margin:3rem 0 .75rem;padding-top:1rem;border-top:1px solid var(--line)}
h3{font-size:1.05rem;margin:2rem 0 .5rem}
summary h3,summary h4{display:inline;margin:0;font-size:1rem}
p,ul{max-width:48rem;margin:.6rem 0}
ul{padding-left:1.25rem}
li{margin:.2rem 0}
a{color:var(--link)}
a:focus-visible,summary:focus-visible,.wide:focus-visible{outline:2px solid var(--link);outline-offset:2px}
code{font:.92em/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;overflow-wrap:anywhere}
.verdict{font-size:1.05rem;max-width:none;padding:1rem 1.25rem;margin:0 0 1.25rem;background:var(--raised);
 border-left:4px solid var(--quiet)}
.verdict.passed{border-color:var(--good)}
.verdict.failed{border-color:var(--wrong)}
q{quotes:none;overflow-wrap:anywhere}
nav.toc{padding:0}
.toc ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;padding:0;max-width:none}
.wide{overflow-x:auto;margin:.9rem 0 1.5rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums lining-nums;font-size:.93rem}
caption{text-align:left;color:var(--quiet);padding:0 0 .4rem;caption-side:top}
th,td{text-align:left;vertical-align:top;padding:.4rem .9rem .4rem 0;border-bottom:1px solid var(--line);
 font-weight:400;min-width:4.5rem}
td code,th code{overflow-wrap:break-word}
thead th{color:var(--quiet);font-size:.85rem;border-bottom:1px solid var(--quiet);white-space:nowrap}
td.wrong,td.untold,th.wrong,th.untold{padding-left:.5rem}
.wrong{color:var(--wrong);background:var(--wrong-ground);font-weight:600}
.untold{color:var(--untold);background:var(--untold-ground)}
details{border-bottom:1px solid var(--line);padding:.45rem 0}
details>:not(summary){margin-left:1.1rem}
summary{cursor:pointer}
summary .state{color:var(--quiet)}
.pictures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,27rem),1fr));gap:1.25rem 2.5rem;
 margin:1.5rem 0}
figure{margin:0;overflow-x:auto}
figure svg{max-width:100%;height:auto;display:block}
figure.scroll svg{max-width:none}
figcaption{color:var(--quiet);font-size:.87rem;margin-top:.4rem}
@media (max-width:62rem){.wide table{min-width:56rem}}
@media (max-width:40rem){main,nav{padding-left:1rem;padding-right:1rem}main{padding-top:1.5rem}h1{font-size:1.5rem}}
@page{margin:16mm 14mm}
@media print{
"""
    f":root{{color-scheme:light;{_variables(0)}}}"
    """
html{font-size:9.5pt}
main{max-width:none;padding:0}
nav,.toc{display:none}
h1,h2,h3,summary,caption{break-after:avoid}
tr,figure,li{break-inside:avoid}
thead{display:table-header-group}
.wide,figure{overflow:visible}
.wide table{min-width:0}
th,td{min-width:0;overflow-wrap:anywhere}
thead th{white-space:normal}
table{font-size:8pt}
.wrong,.untold{print-color-adjust:exact;-webkit-print-color-adjust:exact}
details::details-content{content-visibility:visible;height:auto}
}
"""
)
