import { FileDataService } from 'nestjs-bulwark/data';
import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SYNC_SITES, type SyncSite } from '../../../lib/data/file/file-system.js';
import { seededRandom } from '../../support/seeded-random.js';
import { PowerLossFileSystem } from './power-loss-file-system.js';

const POINTS = Number(process.env['BULWARK_CRASH_POINTS'] ?? 5_000);
const SEED = Number(process.env['BULWARK_FAULT_SEED'] ?? 20_261);
const KEYS = 12;
const WRITERS = 4;
const WRITES_PER_LIFE = 110;
const LIVES = 6;
const POINTS_PER_RUN = 125;
/** At about so many of the calls the power fails. */
const CRASH_SHARE = 0.06;

/** What was done to one key, in order; index 0 is that it never was there. */
interface History {
  readonly values: (number | undefined)[];
  /** Up to this one all is acknowledged, or was read. */
  acknowledged: number;
}

interface Found {
  readonly points: number;
  readonly acknowledged: number;
  readonly problems: string[];
  readonly met: ReadonlySet<SyncSite>;
}

/** Writes, is killed, goes on, makes snapshots, while the power fails at random moments; each time what is left is read. */
async function run(seed: number, broken: SyncSite | undefined, maxPoints: number): Promise<Found> {
  const random = seededRandom(seed);
  const histories = Array.from({ length: KEYS }, (): History => ({ values: [undefined], acknowledged: 0 }));
  const problems: string[] = [];
  let [points, acknowledged] = [0, 0];
  let fileSystem = new PowerLossFileSystem();
  if (broken !== undefined) fileSystem.broken.add(broken);
  const met = new Set<SyncSite>();
  const failPower = async (): Promise<void> => {
    if (points >= maxPoints || random() >= CRASH_SHARE) return;
    points += 1;
    const left = fileSystem.afterPowerLoss(random);
    const expected = histories.map(({ values, acknowledged: from }) => values.slice(from));
    problems.push(...(await problemsOf(left, `${seed}-${points}`, expected)));
  };
  const equip = (next: PowerLossFileSystem): PowerLossFileSystem => {
    next.onCall = failPower;
    return next;
  };
  equip(fileSystem);

  for (let life = 0; life < LIVES; life++) {
    const data = await FileDataService.open({ path: `/data-${seed}-${broken ?? ''}-${life}` }, fileSystem);
    for (const [index, history] of histories.entries()) {
      // What was read once must stay.
      const found = (await data.get<{ n: number }>(`key-${index}`))?.n;
      const at = history.values.lastIndexOf(found);
      if (at < history.acknowledged) problems.push(`key-${index}: a new life found ${String(found)}`);
      history.acknowledged = Math.max(at, history.acknowledged);
      history.values.length = history.acknowledged + 1;
    }
    let left = WRITES_PER_LIFE;
    const write = async (writer: number): Promise<void> => {
      while (left-- > 0) {
        const index = writer + WRITERS * Math.floor(random() * (KEYS / WRITERS));
        const history = histories[index] as History;
        const n = history.values.length;
        const isDelete = random() < 0.1;
        history.values.push(isDelete ? undefined : n);
        if (isDelete) await data.delete(`key-${index}`);
        else await data.put(`key-${index}`, { n, filler: 'x'.repeat(Math.floor(random() ** 3 * 12_000)) });
        history.acknowledged = n;
        acknowledged += 1;
      }
    };
    const writing = Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
    if (random() < 0.5) {
      await writing;
      await data.close();
    } else {
      await Promise.race([writing, turns(Math.floor(random() * 400))]);
      left = 0;
    }
    // Killed, if it was not closed: what it has written is in the system's memory.
    for (const site of fileSystem.met) met.add(site);
    fileSystem = equip(fileSystem.takeOver());
  }
  return { points, acknowledged, problems, met };
}

/** What is wrong with what the power loss has left. */
async function problemsOf(
  left: PowerLossFileSystem,
  name: string,
  expected: readonly (readonly (number | undefined)[])[],
): Promise<string[]> {
  let data: FileDataService;
  try {
    data = await FileDataService.open({ path: `/left-${name}` }, left);
  } catch (error) {
    return [`${name}: it does not open: ${String(error)}`];
  }
  const problems: string[] = [];
  for (const [index, values] of expected.entries()) {
    try {
      const found = (await data.get<{ n: number }>(`key-${index}`))?.n;
      if (!values.includes(found))
        problems.push(`${name}: key-${index} is ${String(found)}, not one of ${values.join()}`);
    } catch (error) {
      problems.push(`${name}: key-${index}: ${String(error)}`);
    }
  }
  await data.close();
  return problems;
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

async function runs(points: number, broken?: SyncSite): Promise<Found> {
  const all = { points: 0, acknowledged: 0, problems: [] as string[], met: new Set<SyncSite>() };
  for (let seed = SEED; all.points < points && (broken === undefined || all.problems.length === 0); seed++) {
    const found = await run(seed, broken, Math.min(POINTS_PER_RUN, points - all.points));
    all.points += found.points;
    all.acknowledged += found.acknowledged;
    all.problems.push(...found.problems);
    for (const site of found.met) all.met.add(site);
  }
  return all;
}

describe('fileData after a power loss', () => {
  beforeAll(() => Logger.overrideLogger(false));
  afterAll(() => Logger.overrideLogger(new Logger()));

  it(`has all that was acknowledged, and opens, at ${POINTS} moments`, { timeout: 300_000 }, async () => {
    const { points, acknowledged, problems, met } = await runs(POINTS);

    console.log(
      `seed ${SEED}: ${points} power losses over ${acknowledged} acknowledged writes, ${problems.length} problems`,
    );
    expect(problems).toEqual([]);
    expect([...met].sort()).toEqual([...SYNC_SITES].sort());
  });

  it.each(SYNC_SITES)('would lose something without the sync %j', { timeout: 300_000 }, async (site) => {
    const { points, problems } = await runs(POINTS, site);

    console.log(`without ${site}: ${problems[0] ?? 'nothing'} (after ${points} power losses)`);
    expect(problems.length).toBeGreaterThan(0);
  });
});
