import { interval, ratios, typical } from './statistics.mjs';

/** A line of the table: ours against a peer by the ratio of their times, with ours against ours beside it. */
export function ratioLine(results, options) {
  const { figure, peer, ours = 'bulwark', theirs = peer, goal } = options;
  const { twin = 'bulwark again', twinOf = 'bulwark' } = options;
  const measured = interval(ratios(results, ours, theirs));
  const noise = interval(ratios(results, twin, twinOf));
  const us = (name) => `${(typical(results, name) / 1e3).toPrecision(3)} us`;
  return {
    figure,
    peer,
    ours: us(ours),
    theirs: us(theirs),
    measured,
    noise,
    goal,
    verdict: judge(measured, goal, noise),
  };
}

/** A line with a plain value of ours, whose unit is that of the goal. */
export function valueLine({ figure, unit, measured, peer, theirs, goal }) {
  return { figure, peer, theirs, unit, measured, goal, verdict: judge(measured, goal) };
}

/**
 * Whether the whole interval lies on the good side of the goal. Where ours against ours differs from 1 by as much as
 * the result differs from the goal, nobody can tell.
 */
export function judge({ median, low, high }, goal, noise) {
  if (goal === undefined) return 'information';
  const limit = goal.max ?? goal.min;
  if (noise !== undefined) {
    const error = Math.max(1 - noise.low, noise.high - 1);
    if (error >= Math.abs(median / limit - 1)) return 'not measurable here';
  }
  const [met, missed] = goal.max === undefined ? [low >= limit, high < limit] : [high <= limit, low > limit];
  return met ? 'met' : missed ? 'missed' : 'not measurable here';
}
