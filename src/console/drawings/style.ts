/** The colours of drawings, from the variables of the page: it differs in light and dark by these alone. */
export const drawingsStyle = `
.spark { display: block; width: 120px; height: 24px; overflow: visible }
.spark.large { width: 100%; max-width: 600px; height: 90px }
.spark path { stroke: none; fill: none }
.spark .ground, .spark .backlog { stroke: var(--line); stroke-width: 1; vector-effect: non-scaling-stroke }
.spark .delivered { fill: var(--good); opacity: .75 }
.spark .failed { fill: var(--bad) }
.spark .backlog { stroke: var(--text); stroke-width: 1.25; stroke-linejoin: round }
.key { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin: 0 5px 0 12px }
.key.delivered { background: var(--good); opacity: .75 }
.key.failed { background: var(--bad) }
.key.backlog { background: var(--text); height: 2px; vertical-align: 4px; width: 14px }
.timeline { display: block; max-width: 100%; height: auto; font-size: 13px }
.timeline text { fill: var(--text); font-variant-numeric: tabular-nums }
.timeline .time { text-anchor: end; fill: var(--quiet) }
.timeline text.wait, .timeline tspan.wait { fill: var(--quiet) }
.timeline path.wait { stroke: var(--line); stroke-width: 2; stroke-dasharray: 3 3 }
.timeline tspan.failed { fill: var(--bad); font-weight: 600 }
.timeline tspan.passed { fill: var(--good); font-weight: 600 }
.timeline tspan.end { font-weight: 600 }
.timeline circle { fill: var(--quiet) }
.timeline circle.failed { fill: var(--bad) }
.timeline circle.passed { fill: var(--good) }
.timeline path.end { stroke: var(--text); stroke-width: 2; fill: none }
`
