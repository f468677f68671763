import { expect, it } from 'vitest';
import { sourcesIn } from './source-files.js';

/** What starts a process or needs a server. */
const DEEP_SUPPORT =
  /^test\/(?:.+\/)?support\/(?:.+\/)?(?:built-docs|built-page|built-sample|chromium|brokers|compiled-lib|compiled-scene|etcd-cluster|run-cli|(?:mariadb|own|postgres|redis)-server|redis-cluster|shared-servers)\.ts$/;
/** As vitest.config.ts says. */
const DEEP = /^test\/(?:bundle|cli|examples|faults|libraries|sample)\/|\.deep\.test\.ts$/;

it('is named *.deep.test.ts, when a test starts processes or needs servers', () => {
  const misnamed = sourcesIn('test')
    .filter(({ path }) => path.endsWith('.test.ts') && !DEEP.test(path))
    .filter(({ imports }) => imports.some(({ file }) => file !== undefined && DEEP_SUPPORT.test(file)))
    .map(({ path }) => path);

  expect(misnamed).toEqual([]);
});
