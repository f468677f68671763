import { bulwark, cockatielConsecutive, cockatielSampling, opossum } from '../support/breakers.mjs';
import { succeed, succeeding } from '../support/calls.mjs';
import { interleave } from '../support/interleave.mjs';
import { ratioLine } from '../support/line.mjs';

export const title = 'a call that succeeds, under a breaker alone';

export function measure({ seconds }) {
  const subjects = {
    bulwark: bulwark(succeed)(),
    'bulwark again': bulwark(succeed)(),
    'cockatiel sampling': cockatielSampling(succeed),
    'cockatiel consecutive': cockatielConsecutive(succeed),
    'opossum fire': opossum(succeed),
    'no breaker': succeed,
  };
  const runs = Object.entries(subjects).map(([name, call]) => [name, { run: succeeding(call) }]);
  return interleave(Object.fromEntries(runs), { seconds });
}

export function report(results) {
  const figure = 'breaker, success';
  return [
    ratioLine(results, { figure, peer: 'cockatiel sampling', goal: { max: 0.75 } }),
    ratioLine(results, { figure, peer: 'cockatiel consecutive', goal: { max: 0.9 } }),
    ratioLine(results, { figure, peer: 'opossum fire', goal: { max: 0.4 } }),
    ratioLine(results, { figure, peer: 'no breaker' }),
  ];
}
