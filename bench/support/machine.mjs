import { readFileSync } from 'node:fs';
import os from 'node:os';

/** Of the bench's own folder. */
const PEERS = ['opossum', 'cockatiel', 'mollitia'];
const BESIDE = [
  'rate-limiter-flexible',
  '@nestjs/throttler',
  '@nestjs/core',
  '@nestjs/platform-express',
  '@nestjs/platform-fastify',
];
const ROOT = new URL('../../', import.meta.url);

/** Where and with what a run was made. */
export function describeMachine() {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.cpus().length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.platform()} ${os.release()} ${os.arch()}`,
    loadAtStart: os.loadavg().map((load) => Number(load.toFixed(2))),
    node: process.version,
    versions: Object.fromEntries([
      ['nestjs-bulwark', versionIn('package.json')],
      ...PEERS.map((name) => [name, versionIn(`bench/peers/node_modules/${name}/package.json`)]),
      ...BESIDE.map((name) => [name, versionIn(`node_modules/${name}/package.json`)]),
    ]),
  };
}

function versionIn(file) {
  return JSON.parse(readFileSync(new URL(file, ROOT), 'utf8')).version;
}
