import { bulwark, cockatielConsecutive, cockatielSampling, opossum } from '../support/breakers.mjs';
import { fail, rejecting, succeed } from '../support/calls.mjs';
import { interleave } from '../support/interleave.mjs';
import { ratioLine } from '../support/line.mjs';

export const title = 'a call that fails, with few and with many calls in the window';

const FEW = 1_000;
const MANY = 50_000;
const FAILURES = 400;

/** Judged in full at each failure, and never reached. */
const NEVER_PERCENT = 99;
const NEVER_FAILURES = 1e9;

let failing = false;
let upstreamCalls = 0;

function request() {
  upstreamCalls++;
  return failing ? fail() : succeed();
}

export async function measure({ seconds }) {
  const options = { errorThresholdPercentage: NEVER_PERCENT };
  const ours = bulwark(request, options);
  const sampling = () => cockatielSampling(request, { threshold: NEVER_PERCENT / 100 });
  const main = await interleave(
    {
      bulwark: filled(ours, FEW),
      'bulwark again': filled(bulwark(request, options), FEW),
      'bulwark, many': filled(ours, MANY),
      'cockatiel sampling': filled(sampling, MANY),
      'cockatiel consecutive': filled(() => cockatielConsecutive(request, NEVER_FAILURES), 0),
      'no breaker': filled(() => request, 0),
    },
    { seconds },
  );
  // opossum takes so long that it is measured apart, by fewer calls.
  const plain = () => opossum(request, { ...options, rollingPercentilesEnabled: false });
  const apart = await interleave(
    {
      'bulwark beside opossum': filled(ours, MANY),
      'opossum without percentiles': filled(plain, MANY, 100),
      opossum: filled(() => opossum(request, options), MANY, 2),
    },
    { seconds: seconds / 4 },
  );
  return { ...main, ...apart };
}

export function report(results) {
  const withShare = results.map((result) => ({
    ...result,
    'what bulwark adds': result['bulwark, many'].map((ns, round) => ns - result['no breaker'][round]),
  }));
  const line = (peer, options) =>
    ratioLine(withShare, { figure: `failure, ${MANY} calls in the window`, ours: 'bulwark, many', peer, ...options });
  return [
    line(`bulwark, ${FEW} in the window`, { theirs: 'bulwark', goal: { max: 1.1 } }),
    line('cockatiel sampling', { goal: { max: 0.75 } }),
    line('cockatiel consecutive', { goal: { max: 0.75 } }),
    line('no breaker'),
    line('cockatiel sampling', { figure: 'failure, what ours adds to the bare call', ours: 'what bulwark adds' }),
    line('opossum without percentiles', { ours: 'bulwark beside opossum' }),
    line('opossum', { ours: 'bulwark beside opossum' }),
  ];
}

/** A breaker that is new for each batch, with `calls` successes in its window before the failures begin. */
function filled(create, calls, count = FAILURES) {
  let call;
  return {
    count,
    prepare: async () => {
      call = create();
      failing = false;
      for (let made = 0; made < calls; made++) await call();
      failing = true;
    },
    run: async (failures) => {
      const before = upstreamCalls;
      await rejecting(call)(failures);
      if (upstreamCalls - before !== failures) throw new Error('a breaker has opened: the row is void');
    },
  };
}
