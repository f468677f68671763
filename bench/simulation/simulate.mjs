import { createClient } from './client.mjs';
import { exponential, seededRandom } from '../support/random.mjs';
import { Service } from './service.mjs';
import { VirtualClock } from './virtual-clock.mjs';

const SECOND_MS = 1_000;
/** It has recovered when so many of the calls get their answer in time ... */
const RECOVERED = 0.9;
/** ... in every stretch of so many seconds from then on. */
const STRETCH_S = 5;
/** The first seconds still fill the service and find its limits. */
const SETTLED_S = 5;

/**
 * Runs a scenario in virtual time: the same seed gives the same calls at the same moments, whatever the policies do.
 *
 * @param library the parts of the library that run in it.
 * @returns what happened in each second, and what it comes to.
 */
export async function simulate(library, scenario, policies) {
  const { clients, callsPerSecond, seconds, trigger, timeout, seed } = scenario;
  const clock = new VirtualClock();
  const environment = createEnvironment(library, clock, seededRandom(seed + 1));
  const ingress = policies.shedding && createIngress(library, environment);
  const service = new Service(scenario.service, clock, seededRandom(seed + 2), ingress);
  const fleet = Array.from({ length: clients }, () =>
    createClient(library, { timeout, policies }, environment, service),
  );

  const began = clock.now();
  const answers = new Array(seconds).fill(0);
  const calls = new Array(seconds).fill(0);
  const secondOf = (moment) => Math.floor((moment - began) / SECOND_MS);
  const call = fleet.map((one) => () => {
    one().then(
      () => {
        const second = secondOf(clock.now());
        if (second < seconds) answers[second]++;
      },
      () => undefined,
    );
  });

  const random = seededRandom(seed);
  let load = 1;
  const arrive = () => {
    calls[secondOf(clock.now())]++;
    call[Math.floor(random() * clients)]();
    clock.after(exponential(random, SECOND_MS / (callsPerSecond * load)), arrive);
  };
  arrive();
  clock.after(trigger.from * SECOND_MS, () => {
    service.capacity = trigger.capacity ?? 1;
    load = trigger.load ?? 1;
  });
  clock.after(trigger.to * SECOND_MS, () => {
    service.capacity = 1;
    load = 1;
    service.work();
  });

  const series = { calls, goodput: answers, offered: [], shed: [], wasted: [], waiting: [], opened: [] };
  let opened = 0;
  environment.events.watchChanges({
    changed: ({ type, to }) => {
      if (type === 'stateChange' && to === 'open') opened++;
    },
    repeated: () => undefined,
  });
  for (let second = 0; second < seconds; second++) {
    const { received, shed, wasted } = service;
    opened = 0;
    await clock.advance(SECOND_MS);
    series.offered.push(service.received - received);
    series.shed.push(service.shed - shed);
    series.wasted.push(service.wasted - wasted);
    series.waiting.push(service.waiting);
    series.opened.push(opened);
  }
  environment.lifecycle.dispose();
  return { series, summary: summarize(series, scenario) };
}

function createEnvironment(library, clock, random) {
  const report = (place, error) => {
    throw new Error(`${place}: a callback failed`, { cause: error });
  };
  const events = new library.EventBus(
    () => clock.wallNow(),
    (error) => report('events', error),
  );
  const lifecycle = new library.Lifecycle();
  return { clock, random, events, lifecycle, reportCallback: report, logRecovered: report };
}

/** The default protection. The service waits for its workers, so its event loop has time. */
function createIngress(library, environment) {
  const options = library.parseSystemProtection('simulation', true);
  return new library.Ingress(options, environment, { read: () => 0 });
}

function summarize({ calls, goodput, offered, shed, wasted }, { seconds, trigger }) {
  const last = [seconds - 3 * STRETCH_S, seconds];
  return {
    before: mean(goodput, SETTLED_S, trigger.from),
    during: mean(goodput, trigger.from, trigger.to),
    after: mean(goodput, trigger.to, seconds),
    last: mean(goodput, ...last),
    peak: Math.max(...offered),
    offeredLast: mean(offered, ...last),
    amplificationLast: mean(offered, ...last) / mean(calls, ...last),
    shedLast: mean(shed, ...last),
    wastedLast: mean(wasted, ...last),
    /** Seconds from the end of the trigger on; undefined: never. */
    recoveredAfter: recoveredAfter(calls, goodput, trigger.to),
  };
}

/** The first second from which on every stretch is good. */
function recoveredAfter(calls, goodput, from) {
  let since;
  for (let second = from; second + STRETCH_S <= goodput.length; second++) {
    const stretch = [second, second + STRETCH_S];
    if (mean(goodput, ...stretch) < RECOVERED * mean(calls, ...stretch)) since = undefined;
    else since ??= second;
  }
  return since === undefined ? undefined : since - from;
}

function mean(values, from, to) {
  return values.slice(from, to).reduce((sum, value) => sum + value, 0) / (to - from);
}
