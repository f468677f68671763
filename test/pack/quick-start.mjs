/** Does what docs/quick-start.md says, in an empty folder and with the packed tarball: its commands, its files, its outcome. */
import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ask, freePort } from './over-http.mjs';

/** @returns the text of each block of these languages. */
const blocks = (page, languages) =>
  [...page.matchAll(/^```(\w+)\n(.*?)^```/gms)].filter(([, one]) => languages.includes(one)).map(([, , text]) => text);

function expect(what, got, wanted) {
  if (!wanted.test(got)) throw new Error(`${what}: expected ${wanted}, got:\n${got}`);
}

/**
 * @param work an empty folder.
 * @param unpacked the packed package, unpacked.
 * @param tarball the same as a file.
 * @param run runs a command to its end.
 */
export function quickStart({ work, unpacked, tarball, run }) {
  const cwd = join(work, 'quick-start');
  const page = () => readFile(join(unpacked, 'docs/quick-start.md'), 'utf8');
  return [
    [
      'installs by the commands of the page',
      async () => {
        await mkdir(cwd);
        const commands = blocks(await page(), ['sh'])
          .join('')
          .replace(/^mkdir .*$/m, '')
          .match(/^npm .*$/gm);
        for (const command of commands) {
          await run('sh', ['-c', command.replace(' nestjs-bulwark ', ` ${await tarball()} `)], { cwd });
        }
      },
    ],
    [
      'compiles the files of the page',
      async () => {
        const [upstream, app] = [await freePort(), await freePort()];
        await writeFile(join(cwd, 'ports.json'), JSON.stringify({ upstream, app }));
        for (const text of blocks(await page(), ['ts', 'js', 'jsonc'])) {
          const name = /^\/\/ (\S+)\n/.exec(text)?.[1];
          if (name === undefined) throw new Error(`a block without the name of its file:\n${text}`);
          await mkdir(dirname(join(cwd, name)), { recursive: true });
          await writeFile(join(cwd, name), text.replaceAll('4000', upstream).replaceAll('3000', app));
        }
        await run('npx', ['tsc'], { cwd });
      },
    ],
    ['passes the test of the page', () => run(process.execPath, ['--test', 'dist/rates.test.js'], { cwd })],
    [
      'shows what the page shows',
      async () => {
        const ports = JSON.parse(await readFile(join(cwd, 'ports.json'), 'utf8'));
        const [upstream, app] = [ports.upstream, ports.app].map((port) => `http://127.0.0.1:${port}`);
        const children = ['upstream.mjs', 'dist/main.js'].map((file) => spawn(process.execPath, [file], { cwd }));
        let log = '';
        children[1].stdout.on('data', (piece) => (log += piece));
        try {
          await ask(upstream);
          expect('the first answer', await ask(`${app}/rates/EUR`), /^1\.08$/);
          await ask(`${upstream}/break`);
          for (let call = 0; call < 5; call++)
            expect('with a broken upstream', await ask(`${app}/rates/EUR`), /^1\.08$/);
          expect(
            'the log',
            log,
            /RatesService\.rate: circuit breaker is open \(it was closed\): 4 of 5 calls failed in 10 s, limit 50 %/,
          );
          expect(
            'the metrics',
            await ask(`${app}/metrics`),
            /^bulwark_circuit_breaker_state\{name="RatesService\.rate",state="open"\} 1$/m,
          );
          expect('the dashboard', await ask(`${app}/resilience`), /<html/);
        } finally {
          for (const child of children) child.kill();
        }
      },
    ],
  ];
}
