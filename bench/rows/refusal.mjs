import { HttpException } from '@nestjs/common';
import { bulwark, cockatielConsecutive, opossum } from '../support/breakers.mjs';
import { fail, rejecting } from '../support/calls.mjs';
import { interleave } from '../support/interleave.mjs';
import { ratioLine } from '../support/line.mjs';
import { typical } from '../support/statistics.mjs';

export const title = 'a call that an open breaker refuses';

const PEERS = ['cockatiel', 'opossum'];
const FIRST_FAILURE = { errorThresholdPercentage: 1, volumeThreshold: 1 };

let upstreamCalls = 0;

export async function measure({ seconds }) {
  const subjects = {
    bulwark: bulwark(countedFail, FIRST_FAILURE)(),
    'bulwark again': bulwark(countedFail, FIRST_FAILURE)(),
    cockatiel: cockatielConsecutive(countedFail, 1),
    opossum: opossum(countedFail, FIRST_FAILURE),
    'a bare rejection': rejectBarely,
  };
  for (const call of Object.values(subjects)) await rejecting(call)(1);
  const opened = upstreamCalls;
  const runs = Object.entries(subjects).map(([name, call]) => [name, { run: rejecting(call) }]);
  // Small batches: what rejects before anybody listens is kept by Node until the turn is over.
  const result = await interleave(Object.fromEntries(runs), { seconds, batchMs: 0.5 });
  if (upstreamCalls !== opened) throw new Error('a call reached the upstream: the row is void');
  return result;
}

export function report(results) {
  const [faster, slower] = PEERS.toSorted((a, b) => typical(results, a) - typical(results, b));
  const figure = 'refusal while open';
  return [
    ratioLine(results, { figure, peer: 'a bare rejection', goal: { max: 1.1 } }),
    ratioLine(results, { figure, peer: `${faster} (the faster)`, theirs: faster, goal: { max: 0.25 } }),
    ratioLine(results, { figure, peer: slower }),
  ];
}

/** As deep a class as ours, Nest's exception in the middle, and as ours without a captured stack. */
class Refusal extends HttpException {}
class CircuitIsOpen extends Refusal {}

function rejectBarely() {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = undefined;
  const error = new CircuitIsOpen({ statusCode: 503, message: 'Service Unavailable', errorCode: 'CIRCUIT_OPEN' }, 503);
  Error.stackTraceLimit = stackTraceLimit;
  return Promise.reject(error);
}

function countedFail() {
  upstreamCalls++;
  return fail();
}
