import { once } from 'node:events';
import { connect } from 'node:net';
import { seededRandom } from '../support/random.mjs';

/**
 * The clients, in a process of their own. They parse as little as they can, so that the server is what the machine is
 * busy with. An answer that comes later than `DEADLINE_MS` after the planned time is of no use to anybody. The
 * connections are kept and there are only so many: who finds none free waits for one, as in any client's pool.
 */
const DEADLINE_MS = 1_000;
const CONNECTIONS = 1_000;
const OPENED_AT_ONCE = 50;
const HEAD_END = '\r\n\r\n';

const port = Number(process.argv[2]);
const idle = [];
const queue = [];
while (idle.length < CONNECTIONS) idle.push(...(await Promise.all(Array.from({ length: OPENED_AT_ONCE }, newClient))));

process.on('message', async ({ kind, ...task }) => {
  process.send(kind === 'open' ? await openLoop(task) : await closedLoop(task));
});
process.on('disconnect', () => process.exit());
process.send('ready');

/** Requests at times that were fixed beforehand, at random, whatever becomes of those before. */
async function openLoop({ path, perSecond, seconds, seed }) {
  const random = seededRandom(seed);
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

const newTally = () => ({ latencies: [], shedLatencies: [], late: 0, failed: 0 });

function request(path, plannedAt, tally, done) {
  const task = { path, plannedAt, tally, done };
  const client = idle.pop();
  if (client === undefined) queue.push(task);
  else client(task);
}

/** One connection, with one request at a time. */
async function newClient() {
  const socket = connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1');
  await once(socket, 'connect');
  let current;
  let buffered = '';
  const begin = (task) => {
    current = task;
    socket.write(`GET ${task.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  };
  socket.on('data', (chunk) => {
    buffered += chunk;
    const head = buffered.indexOf(HEAD_END);
    if (head < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(buffered)[1]);
    if (buffered.length < head + HEAD_END.length + length) return;
    const { plannedAt, tally, done } = current;
    count(tally, buffered.slice(9, 12), performance.now() - plannedAt);
    buffered = '';
    const next = nextInQueue();
    if (next === undefined) idle.push(begin);
    else begin(next);
    done();
  });
  socket.on('close', () => {
    throw new Error('the server has closed a connection');
  });
  socket.on('error', (error) => {
    throw error;
  });
  return begin;
}

/** Who has waited too long for a connection needs none any more. */
function nextInQueue() {
  for (let task = queue.shift(); task !== undefined; task = queue.shift()) {
    if (performance.now() - task.plannedAt < DEADLINE_MS) return task;
    task.tally.late++;
    task.done();
  }
  return undefined;
}

function count(tally, status, ms) {
  if (ms > DEADLINE_MS) tally.late++;
  else if (status === '200') tally.latencies.push(ms);
  else if (status === '503') tally.shedLatencies.push(ms);
  else tally.failed++;
}
