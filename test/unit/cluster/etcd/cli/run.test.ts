import { describe, expect, it } from 'vitest';
import { runCluster } from '../../../../../lib/cluster/etcd/cli/run.js';

async function run(args: string, env: Record<string, string> = {}) {
  const written = { out: '', err: '' };
  const code = await runCluster(args.split(' ').filter(Boolean), {
    terminal: {
      out: { write: (text) => (written.out += text) },
      err: { write: (text) => (written.err += text) },
    },
    env,
    readFile: (path) => Buffer.from(path),
  });
  return { code, ...written };
}

const HOSTS = '--hosts http://127.0.0.1:1';

describe('nestjs-bulwark cluster', () => {
  it('says how it is called', async () => {
    const asked = await run('--help');
    const empty = await run('');

    expect([asked.code, empty.code]).toEqual([0, 2]);
    expect(asked.out).toBe(empty.err);
    expect(asked.out).toMatch('--for <duration>');
  });

  it.each([
    ['shut payments', 'there is no such command'],
    [`open ${HOSTS} --reason r`, 'the name of the breaker is missing'],
    [`open payments ${HOSTS}`, '--reason is missing'],
    ['open payments --reason r', '--hosts is missing'],
    [`open payments more ${HOSTS} --reason r`, "'more' is one argument too many"],
    [`open payments ${HOSTS} --reason r --for 15`, 'expected a duration such as 90s'],
    [`open payments ${HOSTS} --reason r --for 25h`, "option 'for'"],
    [`normal payments ${HOSTS} --reason r --for 1m`, 'normal has no duration'],
    [`open payments ${HOSTS} --reason r --user ann`, 'the password is missing in BULWARK_ETCD_PASSWORD'],
    [`open payments ${HOSTS} --reason r --password secret`, "Unknown option '--password'"],
    [`open payments --hosts http://ann:secret@host:1 --reason r`, '--hosts: expected addresses'],
    [`list ${HOSTS} --prefix bulwark`, '--prefix'],
    [`list ${HOSTS} --cert a`, '--cacert'],
  ])('does not understand: %s', async (args, problem) => {
    const { code, out, err } = await run(args);

    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(problem);
    expect(err).not.toMatch('secret');
  });

  it('fails where nobody answers', async () => {
    const { code, err } = await run(`open payments ${HOSTS} --reason r`);

    expect(code).toBe(1);
    expect(err).toMatch(/^open failed: /);
  });
});
