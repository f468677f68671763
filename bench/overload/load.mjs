import { connect } from 'node:net';

/**
 * The clients, in a process of their own. They parse as little as they can, so that the server is what the machine is
 * busy with. A client that has waited for `DEADLINE_MS` since its planned time gives up and closes its connection.
 */
const DEADLINE_MS = 1_000;
const HEAD_END = '\r\n\r\n';

const port = Number(process.argv[2]);
const idle = [];

process.on('message', async ({ kind, ...task }) => {
  process.send(kind === 'open' ? await openLoop(task) : await closedLoop(task));
});
process.on('disconnect', () => process.exit());

/** Requests at times that were fixed beforehand, at random, whatever becomes of those before. */
async function openLoop({ path, perSecond, seconds, seed }) {
  const random = seeded(seed);
  const plan = [];
  for (let at = 0; at < seconds * 1_000; at += (-Math.log(1 - random()) * 1_000) / perSecond) plan.push(at);
  const tally = newTally();
  let lateMs = 0;
  const begun = performance.now();
  await new Promise((resolve) => {
    let next = 0;
    let open = 0;
    const tick = () => {
      const now = performance.now() - begun;
      for (; next < plan.length && plan[next] <= now; next++) {
        lateMs = Math.max(lateMs, now - plan[next]);
        open++;
        request(path, begun + plan[next], tally, () => {
          if (--open === 0 && next === plan.length) resolve();
        });
      }
      if (next < plan.length) setTimeout(tick, 1);
    };
    tick();
  });
  return { offered: plan.length, seconds, lateMs, ...tally };
}

/** So many clients, each with its next request as soon as the last is answered: what the server can do. */
async function closedLoop({ path, clients, seconds }) {
  const tally = newTally();
  const end = performance.now() + seconds * 1_000;
  const drive = () =>
    new Promise((resolve) => {
      const again = () => (performance.now() < end ? request(path, performance.now(), tally, again) : resolve());
      again();
    });
  await Promise.all(Array.from({ length: clients }, drive));
  return { seconds, ...tally };
}

const newTally = () => ({ latencies: [], shedLatencies: [], gaveUp: 0, failed: 0 });

function request(path, plannedAt, tally, done) {
  const client = idle.pop() ?? newClient();
  client.begin(path, plannedAt, tally, done);
}

/** One connection, with one request at a time. */
function newClient() {
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  let current;
  let buffered = '';
  const finish = (count) => {
    const { timer, tally, plannedAt, done } = current;
    clearTimeout(timer);
    current = undefined;
    buffered = '';
    count(tally, performance.now() - plannedAt);
    done();
  };
  socket.setEncoding('latin1');
  socket.on('data', (chunk) => {
    if (current === undefined) return;
    buffered = buffered === '' ? chunk : buffered + chunk;
    const head = buffered.indexOf(HEAD_END);
    if (head < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(buffered)?.[1] ?? 0);
    if (buffered.length < head + HEAD_END.length + length) return;
    const status = buffered.slice(9, 12);
    idle.push(client);
    finish((tally, ms) => {
      if (status === '200') tally.latencies.push(ms);
      else if (status === '503') tally.shedLatencies.push(ms);
      else tally.failed++;
    });
  });
  const lost = () => {
    const index = idle.indexOf(client);
    if (index >= 0) idle.splice(index, 1);
    if (current !== undefined) finish((tally) => tally.failed++);
  };
  socket.on('error', () => undefined).on('close', lost);
  const client = {
    begin(path, plannedAt, tally, done) {
      const giveUp = () => {
        finish((counted) => counted.gaveUp++);
        socket.destroy();
      };
      const timer = setTimeout(giveUp, Math.max(1, plannedAt + DEADLINE_MS - performance.now()));
      current = { plannedAt, tally, done, timer };
      socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    },
  };
  return client;
}

function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
