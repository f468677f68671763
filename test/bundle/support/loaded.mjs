/**
 * `node loaded.mjs <module>`: the addresses of all scripts that an import of the module brings into an app of Nest, as JSON.
 * The inspector hears of every script that V8 gets, whichever way it is loaded.
 */
import { Session } from 'node:inspector';

for (const name of ['reflect-metadata', 'rxjs', '@nestjs/common', '@nestjs/core']) await import(name);
const session = new Session();
session.connect();
const known = new Set();
const loaded = [];
let isTold = (url) => known.add(url);
session.on('Debugger.scriptParsed', ({ params }) => isTold(params.url));
// Tells of what is there already.
session.post('Debugger.enable');
isTold = (url) => known.has(url) || loaded.push(url);
await import(process.argv[2]);
process.stdout.write(JSON.stringify(loaded));
