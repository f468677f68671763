/**
 * Holds the requests of a round until all of them have come, and says so; then it answers them all at once and leaves
 * the file `done` behind, which a process with a blocked event loop can see.
 */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const rounds = new Map();
const server = createServer((request, response) => {
  const { searchParams } = new URL(request.url, 'http://localhost');
  const round = searchParams.get('round');
  const held = rounds.get(round) ?? [];
  rounds.set(round, held);
  held.push(response);
  if (held.length < Number(searchParams.get('of'))) return;
  process.send({ round });
  setTimeout(
    () => {
      let left = held.length;
      for (const one of held) {
        one.on('close', () => {
          if (--left === 0) writeFileSync(searchParams.get('done'), '');
        });
        one.end('answer');
      }
    },
    Number(searchParams.get('after') ?? 30),
  );
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('disconnect', () => process.exit());
