/**
 * The bill of materials of the package, in the form of CycloneDX: `node test/pack/sbom.mjs [file]`, by default
 * `dist/sbom.cdx.json`. It has what users get with the package, as package-lock.json says, and nothing of development.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { name, version, dependencies } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8'));
const file = resolve(root, process.argv[2] ?? 'dist/sbom.cdx.json');

const options = ['--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only'];
const bill = JSON.parse(execFileSync('npm', ['sbom', ...options], { cwd: root, encoding: 'utf8' }));
// npm takes the name of the folder.
bill.metadata.component.name = name;

const missing = Object.keys(dependencies).filter((dependency) => !bill.components.some((c) => c.name === dependency));
const unclear = bill.components.filter(
  ({ licenses = [], hashes = [] }) => licenses.length === 0 || hashes.length === 0,
);
if (missing.length + unclear.length > 0)
  throw new Error(`missing: ${missing.join(', ')}; without licence or hash: ${unclear.map((c) => c.name).join(', ')}`);
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify(bill, undefined, 2)}\n`);
console.log(`${file}: ${name} ${version} with ${bill.components.map((c) => `${c.name} ${c.version}`).join(', ')}`);
