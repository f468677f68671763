const COLUMNS = [
  ['figure', (line) => line.figure],
  ['peer', (line) => line.peer ?? ''],
  ['ours', (line) => line.ours ?? ''],
  ['peer’s', (line) => line.theirs ?? ''],
  ['measured [95 %]', (line) => span(line.measured, line.unit)],
  ['A/A [95 %]', (line) => (line.noise === undefined ? '' : span(line.noise))],
  ['goal', (line) => goalText(line)],
  ['verdict', (line) => line.verdict],
];

export function printTable(lines) {
  const rows = [COLUMNS.map(([title]) => title), ...lines.map((line) => COLUMNS.map(([, text]) => text(line)))];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const format = (row) =>
    row
      .map((text, column) => text.padEnd(widths[column]))
      .join('  ')
      .trimEnd();
  const [head, ...body] = rows.map(format);
  console.log([head, widths.map((width) => '-'.repeat(width)).join('  '), ...body].join('\n'));
}

function span({ median, low, high }, unit = '') {
  const text = `${short(median)} [${short(low)}, ${short(high)}]`;
  return unit === '' ? text : `${text} ${unit}`;
}

function goalText({ goal, unit = '' }) {
  if (goal === undefined) return '';
  return `${goal.max === undefined ? `>= ${goal.min}` : `<= ${goal.max}`} ${unit}`.trimEnd();
}

function short(value) {
  if (Math.abs(value) >= 100 || Number.isInteger(value)) return value.toFixed(0);
  return value.toPrecision(3);
}
