import { TREND_SECONDS, type Trend } from '../model/trend.js';

const WIDTH = 80;
const HEIGHT = 22;

/** The calls of the last minute, and those of them that went wrong; the figures beside it say the same in text. */
export function Sparkline({ trend }: { readonly trend: Trend }) {
  const { calls, bad } = trend;
  const most = Math.max(1, ...calls);
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} aria-hidden="true">
      <path class="spark-calls" d={area(calls, most)} />
      {bad.some((value) => value > 0) && <path class="spark-bad" d={area(bad, most)} />}
    </svg>
  );
}

/** The newest at the right edge. */
function area(values: readonly number[], most: number): string {
  if (values.length < 2) return '';
  const step = WIDTH / (TREND_SECONDS - 1);
  const left = WIDTH - (values.length - 1) * step;
  const points = values.map((value, index) => {
    const height = (value / most) * (HEIGHT - 2);
    return `${(left + index * step).toFixed(1)} ${(HEIGHT - height).toFixed(1)}`;
  });
  return `M${left.toFixed(1)} ${HEIGHT}L${points.join('L')}L${WIDTH} ${HEIGHT}Z`;
}
