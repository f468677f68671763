import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { judge } from '../../../lib/kernel/outcome/outcome.ts';

/**
 * One test for each row: the library, what happens, what its error means, and the work that throws it.
 *
 * - `failure`: the dependency did not do its work;
 * - `answered`: it worked and said no;
 * - `aborted`: the caller left, while the work ran with the signal that it is given. Cut by time, the same is a failure.
 *
 * @param {[library: string, what: string, meaning: 'failure' | 'answered' | 'aborted', work: (signal?: AbortSignal) => unknown][]} rows
 */
export function outcomes(rows) {
  it.each(rows)('%s: %s is %s', async (_library, _what, meaning, work) => {
    if (meaning === 'aborted') return leave(work);
    const error = await errorOf(work);

    expect(judge(error, false, undefined).kind, described(error)).toBe(meaning);
  });
}

async function leave(work) {
  const left = await errorOf(() => work(abortedBy(undefined)));
  const cut = new DOMException('too long', 'TimeoutError');
  const late = await errorOf(() => work(abortedBy(cut)));

  // What a client makes of the reason is its own affair: here it is handed on as the call has it.
  expect(judge(left, true, new DOMException('left', 'AbortError')).kind, described(left)).toBe('aborted');
  expect(judge(late, true, cut).kind, described(late)).toBe('failure');
}

/** A signal that aborts while the work is under way. */
function abortedBy(reason) {
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 50);
  return controller.signal;
}

/** What `work` throws. */
export async function errorOf(work) {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error(`expected an error of ${work}`);
}

function described(error) {
  return `${error?.constructor?.name} (name ${error?.name}, code ${error?.code}): ${error?.message}`;
}

/** Why tests on a server are skipped; undefined: it answers. Under `CI=true` a missing server fails. */
export async function missing(name, port) {
  const answers = await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
      .once('connect', () => resolve(true))
      .once('error', () => resolve(false))
      .once('close', () => socket.destroy())
      .setTimeout(10_000, () => resolve(false));
    socket.once('connect', () => socket.end());
  });
  if (answers) return undefined;
  const said = `skipped: ${name} does not answer on 127.0.0.1:${port}; bash .ci/run starts one`;
  if (process.env['CI'] === 'true') throw new Error(said);
  console.warn(said);
  return said;
}

/** A port of this machine at which nobody listens. */
export const NOBODY = 9;
