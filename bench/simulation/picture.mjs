const COLUMNS = 3;
const WIDTH = 960;
const PANEL = { width: 262, height: 150, left: 72, top: 132, gapX: 36, gapY: 92 };
const TICK_S = 15;
const STYLE = `
text { font: 12px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #1f2328; }
.back { fill: #ffffff; } .title { font-size: 16px; font-weight: 600; } .name { font-size: 13px; font-weight: 600; }
.soft { fill: #59636e; } .grid { stroke: #d1d9e0; stroke-width: 1; } .trigger { fill: #9a6700; fill-opacity: 0.16; }
.asked { stroke: #59636e; stroke-dasharray: 4 3; fill: none; } .offered { stroke: #bc4c00; stroke-width: 1.6; fill: none; }
.goodput { stroke: #0969da; stroke-width: 2; fill: none; } .area { fill: #0969da; fill-opacity: 0.15; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .back { fill: #0d1117; } .soft { fill: #9198a1; } .grid { stroke: #30363d; }
  .trigger { fill: #e3b341; fill-opacity: 0.2; } .asked { stroke: #9198a1; } .offered { stroke: #ffa657; }
  .goodput { stroke: #58a6ff; } .area { fill: #58a6ff; fill-opacity: 0.2; }
}`;

/** Goodput and the load on the service over time, a panel for each case; for light and dark pages. */
export function draw(results, { seconds, callsPerSecond, clients }, trigger) {
  const most = Math.max(...results.flatMap(({ series }) => series.offered));
  const top = Math.ceil(most / 500) * 500;
  const rows = Math.ceil(results.length / COLUMNS);
  const height = PANEL.top + rows * (PANEL.height + PANEL.gapY) - 36;
  const panels = results.map((result, index) => panel(result, index, { seconds, callsPerSecond, trigger, top }));
  const name = 'A short disturbance, and what the policies make of it';
  const what =
    `${clients.toLocaleString('en')} clients make ${callsPerSecond} calls/s in all; ${trigger.title} (shaded). ` +
    'Simulated with the library itself, in virtual time.';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${name}">
<title>${name}</title>
<desc>${what} ${results.map(({ title, summary }) => `${title}: ${outcome(summary)}`).join('; ')}.</desc>
<style>${STYLE}
</style>
<rect class="back" width="${WIDTH}" height="${height}" rx="6"/>
<text class="title" x="16" y="28">${name}</text>
<text class="soft" x="16" y="49">${what}</text>
${legend()}
${panels.join('\n')}
</svg>
`;
}

function legend() {
  const entries = [
    ['goodput', 'goodput: answers in time, per second'],
    ['offered', 'load on the service: attempts per second'],
    ['asked', 'calls per second before and after'],
  ];
  const entry = ([kind, text], index) => {
    const x = 16 + [0, 290, 600][index];
    return `<path class="${kind}" d="M${x} 74h24"/><text x="${x + 31}" y="78">${text}</text>`;
  };
  return entries.map(entry).join('\n');
}

function panel({ title, series, summary }, index, { seconds, callsPerSecond, trigger, top }) {
  const left = PANEL.left + (index % COLUMNS) * (PANEL.width + PANEL.gapX);
  const upper = PANEL.top + Math.floor(index / COLUMNS) * (PANEL.height + PANEL.gapY);
  const { width, height } = PANEL;
  const x = (second) => round(left + (second / seconds) * width);
  const y = (value) => round(upper + height - (value / top) * height);
  const line = (values) => values.map((value, second) => `${x(second + 0.5)} ${y(value)}`).join('L');
  const isFirst = index % COLUMNS === 0;
  const marks = [];
  for (let value = 0; value <= top; value += 500) {
    marks.push(`<path class="grid" d="M${left} ${y(value)}h${width}"/>`);
    if (isFirst)
      marks.push(
        `<text class="soft" x="${left - 6}" y="${y(value) + 4}" text-anchor="end">${value.toLocaleString('en')}</text>`,
      );
  }
  for (let second = 0; second <= seconds; second += TICK_S) {
    marks.push(`<text class="soft" x="${x(second)}" y="${upper + height + 17}" text-anchor="middle">${second}</text>`);
  }
  if (isFirst)
    marks.push(
      `<text class="soft" transform="translate(20 ${upper + height / 2}) rotate(-90)" text-anchor="middle">per second</text>`,
    );
  marks.push(
    `<text class="soft" x="${left + width / 2}" y="${upper + height + 34}" text-anchor="middle">time, s</text>`,
  );
  return `<g>
<text class="name" x="${left}" y="${upper - 24}">${title}</text>
<text class="soft" x="${left}" y="${upper - 8}">${outcome(summary)}</text>
<rect class="trigger" x="${x(trigger.from)}" y="${upper}" width="${round(x(trigger.to) - x(trigger.from))}" height="${height}"/>
${marks.join('\n')}
<path class="asked" d="M${left} ${y(callsPerSecond)}h${width}"/>
<path class="area" d="M${x(0.5)} ${y(0)}L${line(series.goodput)}L${x(seconds - 0.5)} ${y(0)}z"/>
<path class="offered" d="M${line(series.offered)}"/>
<path class="goodput" d="M${line(series.goodput)}"/>
</g>`;
}

function outcome({ recoveredAfter }) {
  if (recoveredAfter === undefined) return 'does not recover';
  return recoveredAfter === 0 ? 'recovers at once' : `recovers ${recoveredAfter} s after the trigger is gone`;
}

function round(value) {
  return Number(value.toFixed(1));
}
