"""The page's style sheet. Light and dark by what the reader's system asks for; paper is always light.

Contrast of text is 4.5 or more on every ground it stands on (WCAG 2, AA).
"""

from __future__ import annotations

from typing import Final

SHEET: Final = """
:root {
  color-scheme: light dark;
  --paper: #ffffff; --panel: #f5f6f8; --ink: #1b1f24; --faint: #56606c; --rule: #d5d9e0; --link: #0b5cad;
  --critical: #a3200d; --high: #a84300; --medium: #7a5c00; --low: #155f8f; --info: #56606c;
  --clean: #0b6b4b; --violations: #a3200d; --inconclusive: #7a5c00;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --panel: #1d2127; --ink: #e8ebef; --faint: #a3adb9; --rule: #373d46; --link: #7db8f0;
    --critical: #ff9483; --high: #ffab6b; --medium: #ecc94b; --low: #7cc4f2; --info: #a3adb9;
    --clean: #5fd3a6; --violations: #ff9483; --inconclusive: #ecc94b;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body {
  margin: 0 auto; max-width: 64rem; padding: 2rem 1.5rem 4rem; overflow-wrap: anywhere;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, "DejaVu Sans", sans-serif;
}
h1, h2, h3 { line-height: 1.25; text-wrap: balance; }
h1 { font-size: 1.15rem; font-weight: 600; margin: 0; }
h2 { font-size: 1.35rem; margin: 3rem 0 1rem; padding-top: .75rem; border-top: 2px solid var(--ink); }
h3 { font-size: 1.05rem; margin: 1.75rem 0 .5rem; }
p { margin: .4rem 0; max-width: 46rem; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible, .wide:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
code { overflow-wrap: anywhere;
  font: .875em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
ul { margin: .4rem 0; padding-left: 1.2rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.note { color: var(--faint); font-size: .875rem; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 1rem; background: var(--paper); padding: .5rem 1rem; }

.top { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .25rem 2rem; align-items: baseline; }
.verdict { border-left: .5rem solid currentColor; padding: .2rem 0 .2rem 1.1rem; margin: 1.5rem 0 1rem; }
.verdict strong { display: block; font-size: 2.5rem; line-height: 1.15; letter-spacing: -.02em; }
.verdict ul { color: var(--ink); padding: 0; list-style: none; font-size: 1.05rem; }
.clean { color: var(--clean); } .violations { color: var(--violations); } .inconclusive { color: var(--inconclusive); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1px; margin: 1.5rem 0; }
.figures div { outline: 1px solid var(--rule); padding: .7rem .9rem; }
.figures dt { color: var(--faint); font-size: .8rem; }
.figures dd { margin: 0; font-size: 1.2rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.period { margin-top: .2rem; color: var(--faint); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; padding: 0; }
nav a { display: inline-block; padding: .2rem 0; }

.wide { position: relative; overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .4rem .9rem .4rem 0; border-bottom: 1px solid var(--rule); }
th { color: var(--faint); font-weight: 600; font-size: .8rem; white-space: nowrap; }
th { overflow-wrap: normal; }
td { min-width: 4rem; overflow-wrap: break-word; }
td:first-child { min-width: 8.5rem; }
td:last-child, th:last-child { padding-right: 0; }
.number { text-align: right; white-space: nowrap; }
.lost { color: var(--critical); font-weight: 600; }

.tally { display: flex; flex-wrap: wrap; gap: .5rem; padding: 0; list-style: none; }
.tag { display: inline-block; white-space: nowrap; border: 1.5px solid currentColor; border-radius: .25rem;
  padding: .02rem .45rem; font-size: .8rem; font-weight: 700; }
.critical { color: var(--critical); } .high { color: var(--high); } .medium { color: var(--medium); }
.low { color: var(--low); } .info { color: var(--info); }
.finding { background: var(--panel); border-left: .3rem solid; padding: .9rem 1.1rem 1rem; margin: 1rem 0; }
.finding > * { color: var(--ink); }
.finding h3 { margin: 0; display: flex; flex-wrap: wrap; gap: .3rem .7rem; align-items: center; }
.finding .marks { color: var(--faint); font-size: .875rem; margin: .2rem 0 .6rem; }
.finding .message { font-size: 1.05rem; }
dl { margin: .6rem 0 0; }
.finding dl > div { display: grid; grid-template-columns: 8rem 1fr; gap: .1rem 1rem; padding: .3rem 0; }
.finding dl > div { border-top: 1px solid var(--rule); }
.finding dt, .manifest dt { color: var(--faint); font-size: .875rem; }
.finding dd, .manifest dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.finding dd code { display: inline-block; }
.finding ul { list-style: none; padding: 0; margin: 0; }
.waived { border-left-style: dashed; }
.manifest dl > div { display: grid; grid-template-columns: 12rem 1fr; gap: 0 1rem; padding: .2rem 0; }

.matrix table { width: auto; }
.matrix th[scope=row] { font-weight: 400; color: var(--ink); font-size: .875rem; }
.matrix thead th { vertical-align: bottom; white-space: normal; min-width: 5.5rem; max-width: 9rem; }
.matrix thead th:not(:first-child) { padding: .4rem .6rem; text-align: center; }
.matrix td { text-align: center; padding: .25rem .6rem; min-width: 0; border-left: 1px solid var(--rule); }
.status { white-space: nowrap; font-weight: 600; font-size: .875rem; }
.status b { display: inline-block; min-width: 1.1em; text-align: center; }
.met { color: var(--clean); } .violated { color: var(--critical); } .unclear { color: var(--medium); }
.untried, .beyond { color: var(--faint); font-weight: 400; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.25rem; list-style: none; padding: 0; font-size: .875rem; }
details { border-bottom: 1px solid var(--rule); padding: .35rem 0; }
summary { cursor: pointer; font-weight: 600; padding: .25rem 0; }
summary span { font-weight: 400; color: var(--faint); }

figure { margin: 1.5rem 0 2rem; }
figcaption { font-weight: 600; margin-bottom: .4rem; }
.plot svg { display: block; width: 100%; min-width: 40rem; height: auto; }

@media (max-width: 40rem) {
  body { padding: 1.25rem 1rem 3rem; }
  .verdict strong { font-size: 2rem; }
  .figures { grid-template-columns: 1fr 1fr; }
  .finding dl > div, .manifest dl > div { grid-template-columns: 1fr; }
  .wide td, .wide th { padding-right: .6rem; }
  .rows, .rows tbody, .rows tr, .rows td { display: block; }
  .rows thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .rows tr { border-bottom: 1px solid var(--rule); padding: .5rem 0; }
  .rows td { border: 0; position: relative; padding: .1rem 0 .1rem 7rem; min-height: 1.6rem; text-align: left; }
  .rows td:first-child { padding-left: 0; font-weight: 600; }
  .rows td::before { content: attr(data-of); position: absolute; left: 0; color: var(--faint); }
  .rows td:empty { display: none; }
  .rows .number { white-space: normal; }
  .matrix thead th { min-width: 0; } .matrix td, .matrix thead th:not(:first-child) { padding: .25rem .3rem; }
  .matrix thead th:not(:first-child) { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left;
    max-height: 11rem; vertical-align: middle; border: 0; }
  .plot figcaption::after { content: " · slide it sideways"; font-weight: 400; color: var(--faint); }
}
@page { margin: 14mm 13mm 16mm; }
@media print {
  html { font-size: 9.5pt; }
  body { max-width: none; padding: 0; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  nav, .skip { display: none; }
  .figures { grid-template-columns: repeat(6, 1fr); }
  h2 { break-after: avoid; margin-top: 1.6rem; } h3 { break-after: avoid; }
  .finding dl > div, figure, tr, .figures, .verdict { break-inside: avoid; }
  .finding { box-decoration-break: clone; -webkit-box-decoration-break: clone; }
  .finding > :not(dl), .finding dl > :first-child { break-after: avoid; }
  .wide { overflow: visible; } .plot svg { min-width: 0; }
  thead { display: table-header-group; }
  a { color: inherit; text-decoration: none; }
}
"""
