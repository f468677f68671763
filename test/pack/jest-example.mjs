/** Does what the README of examples/nest-11-commonjs-jest says, in a copy of it and with the packed tarball; then starts the app. */
import { spawn } from 'node:child_process';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ask, freePort } from './over-http.mjs';

/**
 * @param root of the repository.
 * @param work an empty folder.
 * @param tarball the packed package.
 * @param run runs a command to its end.
 */
export function jestExample({ root, work, tarball, run }) {
  const cwd = join(work, 'jest-example');
  const command = async (index) => {
    const readme = await readFile(join(cwd, 'README.md'), 'utf8');
    const line = /^```sh\n(.*?)^```/ms.exec(readme)[1].split('\n')[index];
    return run('sh', ['-c', line.replace('$(npm pack --silent ../..)', await tarball())], { cwd });
  };
  return [
    [
      'installs what its lock file says, by the command of its README',
      async () => {
        const filter = (path) => !/node_modules|dist$/.test(path);
        await cp(join(root, 'examples/nest-11-commonjs-jest'), cwd, { recursive: true, filter });
        const before = await readFile(join(cwd, 'package-lock.json'), 'utf8');
        await command(0);
        if ((await readFile(join(cwd, 'package-lock.json'), 'utf8')) !== before)
          throw new Error('the lock file is old');
      },
    ],
    ['passes its tests in Jest', () => command(1)],
    ['compiles', () => run('npm', ['run', 'build'], { cwd })],
    [
      'answers over HTTP while what it asks is down',
      async () => {
        const [PORT, nobody] = [await freePort(), await freePort()];
        const env = { ...process.env, PORT, RATES_URL: `http://127.0.0.1:${nobody}` };
        const app = spawn(process.execPath, ['dist/main.js'], { cwd, env, stdio: 'ignore' });
        try {
          const rate = await ask(`http://127.0.0.1:${PORT}/rates/EUR`);
          if (rate !== '1.08') throw new Error(`expected the last known rate, 1.08, got: ${rate}`);
        } finally {
          app.kill();
        }
      },
    ],
  ];
}
