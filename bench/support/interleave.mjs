import { setImmediate as turn } from 'node:timers/promises';

const WARM_UP_MS_PER_SUBJECT = 400;
const MAX_ROUNDS = 2_000;

/**
 * Times subjects side by side: batches of a few ms in the order A B C C B A, the next round B C A A C B. What the
 * machine does meanwhile falls on all of them alike, and drift cancels within a round.
 *
 * A subject is `{ run(count), prepare?(), count? }`: `run` is timed, `prepare` is not; without a `count` one is chosen
 * so that a batch takes `batchMs`. Timers and other leftovers of a batch run between batches, on nobody's account.
 *
 * @returns for each subject, ns a call in each round.
 */
export async function interleave(subjects, { seconds, batchMs = 3 }) {
  const entries = Object.entries(subjects).map(([name, subject]) => ({
    name,
    subject,
    count: subject.count ?? 50,
    total: 0,
    samples: [],
  }));
  await warmUp(entries, batchMs);
  const end = performance.now() + seconds * 1_000;
  for (let round = 0; round < MAX_ROUNDS && (round === 0 || performance.now() < end); round++) {
    const first = round % entries.length;
    const order = [...entries.slice(first), ...entries.slice(0, first)];
    for (const entry of [...order, ...order.toReversed()]) entry.total += await timeBatch(entry);
    for (const entry of entries) {
      entry.samples.push((entry.total / 2 / entry.count) * 1e6);
      entry.total = 0;
    }
  }
  return Object.fromEntries(entries.map(({ name, samples }) => [name, samples]));
}

/** Alternates already, so that the compiler sees the mixture that will be measured. */
async function warmUp(entries, batchMs) {
  const end = performance.now() + WARM_UP_MS_PER_SUBJECT * entries.length;
  while (performance.now() < end) {
    for (const entry of entries) {
      const ms = await timeBatch(entry);
      if (entry.subject.count !== undefined) continue;
      const wanted = (entry.count * batchMs) / Math.max(ms, 0.01);
      entry.count = Math.max(1, Math.round(Math.min(Math.max(wanted, entry.count / 2), entry.count * 2)));
    }
  }
}

/** CPU time: on a machine that others use as well, most of a batch's wall time can be theirs. */
async function timeBatch({ subject, count }) {
  await subject.prepare?.();
  await turn();
  const before = process.cpuUsage();
  await subject.run(count);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
