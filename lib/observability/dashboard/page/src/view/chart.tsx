import { useEffect, useRef, useState } from 'preact/hooks';
import UPlot from 'uplot';
import { timeOfDay } from '../model/format.js';
import { shownTheme } from '../state/theme.js';

/** One line of a chart, and one column of its table. */
export interface Line {
  readonly label: string;
  /** A CSS variable. */
  readonly colour: string;
  /** What the table and the legend say; as long as the times. */
  readonly values: readonly (number | null)[];
  /** What is drawn, where that differs. */
  readonly drawn?: readonly (number | null)[];
  readonly dash?: readonly number[];
}

interface ChartProps {
  readonly title: string;
  /** Epoch seconds. */
  readonly at: readonly number[];
  readonly lines: readonly Line[];
  /** Whether the lines are the edges of areas upon one another, the topmost first. */
  readonly areas?: boolean;
  readonly format: (value: number | null) => string;
}

const HEIGHT = 200;
/** A chart that has just begun is not stretched over its whole width. */
const LEAST_SECONDS = 60;
const TABLE_ROWS = 30;

/** A chart with a legend that tells the values under the pointer, or the newest, and the same in a table. */
export function Chart({ title, at, lines, areas = false, format }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot>();
  const [pointed, setPointed] = useState<number | null>(null);
  const shape = lines.map(({ label }) => label).join();

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const made = new UPlot(
      optionsOf(lines, areas, format, element.clientWidth, setPointed),
      dataOf(at, lines),
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
    // A chart is made anew for other lines alone; its data come below.
  }, [shape, areas]);
  useEffect(() => plot.current?.setData(dataOf(at, lines)), [at, lines]);
  // The scales stay as they are: at first they are still to come, and must not be set back.
  useEffect(() => plot.current?.redraw(false), [shownTheme.value]);

  const shown = pointed !== null && pointed < at.length ? pointed : at.length - 1;
  return (
    <figure class="chart">
      <figcaption>
        <h3>{title}</h3>
        <ul class="legend">
          {lines.map(({ label, colour, values }) => (
            <li key={label}>
              <svg width="12" height="12" aria-hidden="true">
                <rect width="12" height="12" rx="3" fill={`var(${colour})`} />
              </svg>
              {label} <b>{format(values[shown] ?? null)}</b>
            </li>
          ))}
          <li class="quiet">{at.length === 0 ? '' : pointed === null ? 'now' : timeOfDay((at[shown] ?? 0) * 1000)}</li>
        </ul>
      </figcaption>
      <div class="plot" ref={place} aria-hidden="true" />
      <Table title={title} at={at} lines={lines} format={format} />
    </figure>
  );
}

function Table({ title, at, lines, format }: ChartProps) {
  const [open, setOpen] = useState(false);
  const newest = at.map((_, index) => index).slice(-TABLE_ROWS);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{title} as a table</summary>
      {open && (
        <div class="scroll table-scroll" tabIndex={0} role="region" aria-label={`${title}, newest first`}>
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th>
                {lines.map(({ label }) => (
                  <th scope="col" key={label}>
                    {label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {newest.reverse().map((index) => (
                <tr key={at[index]}>
                  <th scope="row">{timeOfDay((at[index] ?? 0) * 1000)}</th>
                  {lines.map(({ label, values }) => (
                    <td key={label}>{format(values[index] ?? null)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

function dataOf(at: readonly number[], lines: readonly Line[]): UPlot.AlignedData {
  return [[...at], ...lines.map(({ values, drawn }) => [...(drawn ?? values)])];
}

/** Read anew at each drawing, so that a chart follows the theme. */
function colourOf(variable: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
}

function optionsOf(
  lines: readonly Line[],
  areas: boolean,
  format: (value: number | null) => string,
  width: number,
  point: (index: number | null) => void,
): UPlot.Options {
  const axis = (side: Partial<UPlot.Axis>): UPlot.Axis => ({
    stroke: () => colourOf('--quiet'),
    font: '11px system-ui, sans-serif',
    grid: { stroke: () => colourOf('--line'), width: 1 },
    ticks: { show: false },
    ...side,
  });
  return {
    width,
    height: HEIGHT,
    padding: [8, 12, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    scales: {
      x: { range: (_, least, most) => [Math.min(least, most - LEAST_SECONDS), most] },
      y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] },
    },
    axes: [
      axis({ size: 26, space: 90, values: (_, splits) => splits.map((split) => timeOfDay(split * 1000)) }),
      axis({ size: 56, space: 36, values: (_, splits) => splits.map((split) => format(split)) }),
    ],
    series: [
      {},
      ...lines.map(({ label, colour, dash }): UPlot.Series => ({
        label,
        stroke: () => colourOf(colour),
        width: areas ? 1 : 1.6,
        ...(areas ? { fill: () => `${colourOf(colour)}66` } : {}),
        ...(dash === undefined ? {} : { dash: [...dash] }),
        points: { show: false },
      })),
    ],
    ...(areas
      ? { bands: lines.slice(1).map((_, index) => ({ series: [index + 1, index + 2] as [number, number] })) }
      : {}),
    hooks: { setCursor: [({ cursor }) => point(cursor.idx ?? null)] },
  };
}
