/** Writes the API reference from the doc comments of each subpath: docs/api, and the part of the sidebar that leads there. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Application } from 'typedoc';

const file = (path) => fileURLToPath(new URL(path, import.meta.url));
const { exports } = JSON.parse(readFileSync(file('../../package.json'), 'utf8'));

/** `./dist/bundle/data/index.js` is made of `lib/data/index.ts`. */
const entries = new Map(
  Object.entries(exports)
    .filter(([, { default: path }]) => path !== undefined)
    .map(([subpath, { default: path }]) => [
      path.replace(/^\.\/dist\/bundle\/|\/?index\.js$/g, '') || 'index',
      `nestjs-bulwark${subpath.slice(1)}`,
    ]),
);

/** @returns the items of the sidebar. @throws Error where TypeDoc finds an error in the code. */
export async function writeReference() {
  const out = file('../api');
  rmSync(out, { recursive: true, force: true });
  const app = await Application.bootstrapWithPlugins({
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: [...entries.keys()].map((path) => file(`../../lib/${path === 'index' ? '' : `${path}/`}index.ts`)),
    outputs: [{ name: 'markdown', path: out }],
    tsconfig: file('tsconfig.api.json'),
    name: 'API reference',
    readme: 'none',
    // Decorators are functions, and what one looks for first.
    groupOrder: ['Functions', 'Classes', 'Interfaces', 'Variables', '*'],
    // It says who may use it, and has no text.
    excludeTags: ['@publicApi'],
    excludeInternal: true,
    excludePrivate: true,
    excludeProtected: true,
    excludeExternals: true,
    // The lines of a source change with each commit, and the pages with them.
    disableSources: true,
    skipErrorChecking: true,
    logLevel: 'Error',
    validation: false,
    entryFileName: 'index',
    hidePageHeader: true,
    hideBreadcrumbs: true,
    outputFileStrategy: 'members',
    useCodeBlocks: true,
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
    tableColumnSettings: { hideSources: true },
  });
  const project = await app.convert();
  if (project === undefined) throw new Error('TypeDoc could not read the package');
  // By the name by which one imports it.
  for (const child of project.children ?? []) child.name = entries.get(child.name) ?? child.name;
  const byName = (one, other) => (one.name < other.name ? -1 : 1);
  for (const list of [project, ...(project.groups ?? [])]) list.children?.sort(byName);
  await app.generateOutputs(project);
  const items = (project.children ?? []).map(({ name }) => ({ text: name, link: `/api/${name}/` }));
  writeFileSync(file('api-sidebar.json'), JSON.stringify(items, null, 2));
}
