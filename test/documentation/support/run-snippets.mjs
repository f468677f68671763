/**
 * `node run-snippets.mjs <file>...`: runs each module, and starts every Nest module that it exports; prints as JSON what went
 * wrong with which file.
 */
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { Server } from 'node:net';
import { pathToFileURL } from 'node:url';

/** A snippet takes the port of its words; here it may be anybody's. */
const listen = Server.prototype.listen;
Server.prototype.listen = function (port, ...rest) {
  return listen.call(
    this,
    typeof port === 'number' ? 0 : port,
    ...rest.map((one) => (typeof one === 'string' ? '127.0.0.1' : one)),
  );
};
process.env.NODE_ENV = 'test';

const problems = {};
for (const file of process.argv.slice(2)) {
  try {
    const exported = await import(pathToFileURL(file));
    for (const one of Object.values(exported).filter(isModule)) await start(one);
  } catch (error) {
    problems[file] = String(error?.stack ?? error);
  }
}
process.stdout.write(`\n${JSON.stringify(problems)}\n`, () => process.exit());

function isModule(value) {
  return typeof value === 'function' && Reflect.hasMetadata('imports', value);
}

async function start(module) {
  const app = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  await app.close();
}
