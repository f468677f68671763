import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { run } from '../../../../lib/cli/run.js';
import { dashboardServer, dashboardState, type Answer } from '../../../support/dashboard-server.js';
import { until } from '../../../e2e/support/harness.js';

interface Options {
  readonly tty?: { readonly columns: number; readonly rows: number };
  readonly env?: Record<string, string>;
}

/** A run of the command line that goes on until it is ended. */
function begin(args: readonly string[], { tty, env = {} }: Options = {}) {
  const written = { out: '', err: '' };
  const interruption = new AbortController();
  const code = run(['ls', ...args], {
    terminal: {
      out: { write: (text) => (written.out += text), isTTY: tty !== undefined, ...tty },
      err: { write: (text) => (written.err += text) },
    },
    env,
    interrupted: () => interruption.signal,
  });
  return { written, code, interrupt: () => interruption.abort(new Error('interrupted')) };
}

async function ls(args: readonly string[], options?: Options) {
  const { written, code } = begin(args, options);
  return { code: await code, ...written };
}

const SHOP = dashboardState(
  [
    { name: 'catalogue', calls: 120, p95: 12.34, inFlight: 3 },
    { name: 'quiet' },
    { name: 'payments', state: 'open', calls: 7, failures: 5, refused: 2, p95: 1_234 },
    { name: 'tenants', state: 'closed', calls: 1, keysNotClosed: 2 },
  ],
  {
    timeline: [
      {
        id: 1,
        at: 3_599_000,
        type: 'stateChange',
        name: 'payments',
        policy: 'circuitBreaker',
        text: 'is open: 5 of 7',
        level: 'warn',
        repeats: 2,
      },
    ],
    ingress: { active: 4, limit: 40, loopDelayMs: 2.6, shed: 1 },
  },
);

const answering = (answer: Answer | ((request: IncomingMessage) => Answer)): Promise<string> =>
  dashboardServer(typeof answer === 'function' ? answer : () => answer);

describe('nestjs-bulwark ls', () => {
  it('shows every instance in a line of at most 80 characters, those in trouble first', async () => {
    const { code, out, err } = await ls([await answering({ body: SHOP })]);

    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.split('\n')).toEqual([
      'shop-1 pid 4711, nestjs-bulwark 1.2.3, up 1h0m, 4 instances, 2 not closed',
      'requests: 4 worked on, limit 40, 1 turned away, event loop held up 3 ms',
      '',
      'INSTANCE                       STATE       CALLS  FAIL REFUSE    P95   RUN  WAIT',
      'payments                       open            7     5      2   1.2s     0     0',
      'tenants                        2 keys          1     0      0      -     0     0',
      'catalogue                      -             120     0      0   12ms     3     0',
      'quiet                          -               0     0      0      -     0     0',
      '',
      '00:59:59 payments: is open: 5 of 7 (2 more)',
      '',
    ]);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('gives figures by name as JSON', async () => {
    const { code, out } = await ls([await answering({ body: SHOP }), '--json']);
    const { instances, process, timeline } = JSON.parse(out) as Record<string, unknown>;

    expect(code).toBe(0);
    expect(instances).toMatchObject([{ name: 'payments', state: 'open', failures: 5, p95: 1_234 }, {}, {}, {}]);
    expect({ process, timeline }).toEqual({ process: SHOP.process, timeline: SHOP.timeline });
  });

  it('sends the headers that it is given, and never the credentials of the address in it', async () => {
    const seen: IncomingMessage[] = [];
    const url = await answering((request) => {
      seen.push(request);
      return { body: SHOP };
    });
    await ls([url, '-H', 'Authorization: Bearer a:b', '--header', 'X-Team:shop']);
    await ls([`${url.replace('//', '//ann:p%40ss@')}/?page=1#top`]);

    expect(seen[0]?.headers).toMatchObject({ authorization: 'Bearer a:b', 'x-team': 'shop' });
    expect(seen[1]?.headers.authorization).toBe(`Basic ${Buffer.from('ann:p@ss').toString('base64')}`);
    expect(seen[1]?.url).toBe('/resilience/api/state?page=1');
  });

  it.each<[string, Answer, RegExp]>([
    ['401', { status: 401 }, /wants credentials \(401\): give them by -H 'Authorization/],
    ['403', { status: 403 }, /may not see .* \(403\): the 'guards' of its dashboard decide/],
    ['404', { status: 404 }, /there is no dashboard at .*\/resilience \(404\): expected the address of its page/],
    [
      '302',
      { status: 302, headers: { location: '/login?token=abc' } },
      /sends elsewhere to \/login\?token=\*\*\* \(302\)/,
    ],
    ['500', { status: 500 }, /answers 500$/m],
    ['a page', { body: '<html>' }, /what answers at .* is no dashboard of nestjs-bulwark/],
    ['other JSON', { body: { instances: [] } }, /is no dashboard of nestjs-bulwark/],
  ])('says what to do about %s', async (_, answer, message) => {
    const { code, out, err } = await ls([await answering(answer)]);

    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(message);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });

  it('says what to do where nobody answers', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));

    const refused = await ls([`http://127.0.0.1:${port}/resilience`]);
    const unknown = await ls(['http://no-such-host.invalid/resilience']);

    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toMatch(/nobody listens at http:\/\/127\.0\.0\.1:\d+\/resilience: does the app run/);
    expect(unknown.err).toMatch(/the host of http:\/\/no-such-host\.invalid\/resilience is not known/);
  });

  it.each<[string[], RegExp]>([
    [[], /^nestjs-bulwark ls <url>/],
    [['--watch'], /the address of the dashboard is missing/],
    [['localhost:3000/resilience'], /expected the address .* http:\/\/localhost:3000\/resilience, got 'localhost/],
    [['ftp://ann:s3cr3t@host/'], /got 'ftp:\/\/\*\*\*@host\/'/],
    [['http://a/', 'more'], /'more' is one argument too many/],
    [['http://a/', '-H', 'Bearer s3cr3t'], /-H: expected 'Name: value'/],
    [['http://a/', '-H', 'Name: s3cr3t\nOther: x'], /-H: expected 'Name: value'/],
    [['http://a/', '--wide'], /Unknown option '--wide'/],
  ])('is called wrongly: %j', async (args, message) => {
    const { code, out, err } = await ls(args);

    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(message);
    expect(err).not.toContain('s3cr3t');
  });

  it('says how it is called, with examples', async () => {
    const { code, out, err } = await ls(['--help']);

    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('Examples:\n  nestjs-bulwark ls http://localhost:3000/resilience\n');
  });
});

describe('names and texts of an app', () => {
  const HOSTILE = '\u001b[2J\u009b31m\u202egnp\r\nopen';
  const state = dashboardState([{ name: HOSTILE, state: 'open' }, { name: 'x'.repeat(10_000) }], {
    process: { id: 'a', host: HOSTILE, pid: 1, version: HOSTILE, startedAt: 0 },
    timeline: [{ id: 1, at: 0, type: 'x', name: HOSTILE, policy: 'retry', text: HOSTILE, level: 'warn', repeats: 0 }],
  });

  it.each([[[]], [['--json']]])('never reach a terminal as commands: %j', async (more) => {
    const { out } = await ls([await answering({ body: state }), ...more], {
      tty: { columns: 80, rows: 24 },
      env: { NO_COLOR: '1' },
    });

    // eslint-disable-next-line no-control-regex -- they are what is looked for
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    if (more.length === 0) expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    else expect((JSON.parse(out) as { instances: { name: string }[] }).instances[0]?.name).toBe(HOSTILE);
  });

  it('take the columns that they are wide', async () => {
    const wide = dashboardState([{ name: '支付'.repeat(20) }, { name: 'e\u0301te\u0301' }]);
    const { out } = await ls([await answering({ body: wide })]);

    expect(out).toContain(`${'支付'.repeat(7)}… `);
    expect(out).toContain(`e\u0301te\u0301${' '.repeat(28)}-`);
  });
});

describe('colours', () => {
  const tty = { columns: 80, rows: 24 };

  it('are there on a terminal alone, and not with NO_COLOR', async () => {
    const url = await answering({ body: SHOP });

    expect((await ls([url], { tty })).out).toContain('\u001b[31mpayments');
    expect((await ls([url])).out).not.toContain('\u001b');
    expect((await ls([url], { tty, env: { NO_COLOR: '1' } })).out).not.toContain('\u001b');
    expect((await ls([url], { tty, env: { TERM: 'dumb' } })).out).not.toContain('\u001b');
  });
});

describe('nestjs-bulwark ls --watch', () => {
  it('writes a line into a pipe for each instance whose figures have changed', async () => {
    let polls = 0;
    const url = await answering(() => {
      polls++;
      const payments = { name: 'payments', state: polls > 1 ? 'open' : 'closed' } as const;
      return { body: dashboardState([payments, { name: 'quiet' }], { now: polls * 1_000 }) };
    });
    const { written, code, interrupt } = begin([url, '--watch']);
    await until(() => polls > 2, 'three polls');
    interrupt();

    expect(await code).toBe(0);
    expect(written.out.split('\n')).toEqual([
      expect.stringMatching(/^TIME {5}INSTANCE +STATE +CALLS/),
      expect.stringMatching(/^00:00:01 payments +closed /),
      expect.stringMatching(/^00:00:01 quiet +- /),
      expect.stringMatching(/^00:00:02 payments +open /),
      '',
    ]);
    expect(Math.max(...written.out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('gives one document a line as JSON', async () => {
    let polls = 0;
    const url = await answering(() => ({ body: dashboardState([{ name: 'a' }], { now: ++polls }) }));
    const { written, code, interrupt } = begin([url, '--watch', '--json']);
    await until(() => polls > 2, 'three polls');
    interrupt();
    await code;

    const nows = written.out
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { now: number }).now);
    expect(nows.slice(0, 2)).toEqual([1, 2]);
  });

  it('draws in place on a terminal, cut to its size, and leaves the screen as it was, with the last table', async () => {
    let polls = 0;
    const many = Array.from({ length: 50 }, (_, index) => ({ name: `i${index}`, calls: 50 - index }));
    const url = await answering(() => ({ body: dashboardState(many, { now: ++polls }) }));
    const { written, code, interrupt } = begin([url, '--watch'], { tty: { columns: 100, rows: 20 } });
    await until(() => polls > 1, 'two polls');
    interrupt();
    await code;

    const [screen = '', after = ''] = written.out.split('\u001b[?25h\u001b[?1049l');
    const [, ...frames] = screen.split('\u001b[H');
    expect(screen.startsWith('\u001b[?1049h\u001b[?25l')).toBe(true);
    expect(frames[0]?.split('\n').length).toBeLessThanOrEqual(20);
    expect(frames[0]).toContain('... and ');
    expect(after.split('\n').filter((line) => /^i\d/.test(line))).toHaveLength(50);
  });

  it('waits for an app that starts anew, and ends where there is none at first, or none for good', async () => {
    let polls = 0;
    const answers: Answer[] = [{ body: SHOP }, { status: 503 }, { body: SHOP }, { status: 401 }];
    const url = await answering(() => answers[polls++] ?? { status: 401 });
    const { written, code } = begin([url, '--watch']);

    expect(await code).toBe(1);
    expect(written.err).toMatch(/^ls: .* answers 503\nls: .* wants credentials \(401\)/);
    expect((await ls([await answering({ status: 503 }), '--watch'])).code).toBe(1);
  });
});
