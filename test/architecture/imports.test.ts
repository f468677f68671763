import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { POLICY_KEYS } from '../../lib/policies/kinds.js';
import { circlesIn, packageOf, placeOf, reachedFrom, ROOT, sourcesIn, walk, type SourceFile } from './source-files.js';

/** The dashboard's page is a program of its own, which runs in a browser: only what it has in common is held here. */
const PAGE = 'lib/observability/dashboard/page/';
const PROTOCOL = 'lib/observability/dashboard/protocol.ts';

const all = sourcesIn('lib');
const lib = all.filter(({ path }) => !path.startsWith(PAGE));
const page = all.filter(({ path }) => path.startsWith(PAGE));
const sample = sourcesIn('sample-app');
const examples = sourcesIn('examples').filter(({ path }) => !/\.spec\.ts$|\/dist\//.test(path));
const inside = (folder: string): SourceFile[] => lib.filter(({ path }) => path.startsWith(`lib/${folder}/`));

/** The packages that files import, as `file -> package`. */
function packages(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, imports }) =>
    imports
      .filter(({ file, specifier }) => file === undefined && !isBuiltin(specifier))
      .map(({ specifier }) => `${path} -> ${packageOf(specifier)}`),
  );
}

/** The one backend that is put together from others. */
const FAILOVER = 'lib/data/failover/';

/** The part of lib that a file belongs to: its folder, or the file itself where it lies in none. */
const partOf = (path: string): string => path.split('/')[1] ?? path;

/** The parts of lib that guard calls: each may import those that stand below it, their types included, and none above. */
const LAYERS = [
  'testing',
  'observability',
  'cluster',
  'http',
  'microservices',
  'decorators',
  'module',
  'read-model',
  'rules',
  'planning',
  'guarded',
  'pipeline',
  'policies',
  'kernel',
  'events',
  'errors',
] as const;

/** What the vendors of clusters may take, beside `data/port`: they have decorators of their own. Nothing takes them. */
const BELOW_CLUSTER: readonly string[] = LAYERS;

const below = (part: string): readonly string[] => LAYERS.slice(LAYERS.indexOf(part as never) + 1);

/** The parts that hand data services to the app, or bring one. */
const SERVES_DATA: ReadonlySet<string> = new Set(['module', 'cluster']);

/** The commands for a fleet read their arguments as all commands do. */
const COMMANDS_OF_A_FLEET = /^lib\/cluster\/etcd\/cli\/\S+ -> lib\/cli\/shell\/\S+$/;

/** The command line loads the commands for a fleet when they are asked for. */
const LOADS_COMMANDS_OF_A_FLEET = 'lib/cli/run.ts';

/** What the dashboard says over the wire, and nothing else of it, is what the command line reads. */
const READS_THE_DASHBOARD = /^lib\/cli\/ls\/\S+ -> lib\/observability\/dashboard\/protocol\.ts$/;

/** A longer file is more than a reader holds in mind at once, and has more than one job. */
const MOST_LINES = 250;

/** The imports of a part of lib that lead elsewhere than to `allowed`, as `file -> file`. */
function strays(part: string, allowed: readonly string[]): string[] {
  return inside(part).flatMap(({ path, imports }) =>
    imports.flatMap(({ file }) =>
      file === undefined || [part, ...allowed].some((one) => file === `lib/${one}` || partOf(file) === one)
        ? []
        : [`${path} -> ${file}`],
    ),
  );
}

/** The folder that a file belongs to: its part of lib, and of the policies and the data the part of these. */
function folderOf(path: string): string {
  const [lib, part = '', ...rest] = path.split('/');
  if (rest.length === 0) return path;
  const parted = ['policies', 'data', 'cluster', 'cli', 'observability'].includes(part) && rest.length > 1;
  return [lib, part, ...(parted ? rest.slice(0, 1) : [])].join('/');
}

/** The graph of the folders, types included. */
function folders(): Map<string, Set<string>> {
  const graph = new Map<string, Set<string>>();
  for (const { path, imports } of lib) {
    const from = folderOf(path);
    const reached = graph.get(from) ?? new Set();
    graph.set(from, reached);
    for (const { file } of imports) if (file !== undefined && folderOf(file) !== from) reached.add(folderOf(file));
  }
  return graph;
}

describe('the parts of lib', () => {
  it('are those of the design', () => {
    const parts = new Set(lib.map(({ path }) => partOf(path)));

    expect([...parts].sort()).toEqual([...LAYERS, 'cli', 'data', 'index.ts'].sort());
  });

  it('import what stands below them, types included', () => {
    const upwards = LAYERS.flatMap((part) =>
      strays(part, SERVES_DATA.has(part) ? [...below(part), 'data'] : below(part)),
    ).filter((line) => !COMMANDS_OF_A_FLEET.test(line));

    expect(upwards).toEqual([]);
  });

  it.each([
    ['events', []],
    ['data', ['errors']],
    ['cli', ['data', 'errors']],
  ])('%s imports nothing of lib but itself and %j', (part, allowed) => {
    const others = strays(part, allowed).filter(
      (line) =>
        !line.startsWith(FAILOVER) &&
        !READS_THE_DASHBOARD.test(line) &&
        !line.startsWith(`${LOADS_COMMANDS_OF_A_FLEET} -> lib/cluster/`),
    );

    expect(others).toEqual([]);
  });

  it('lib/data/failover puts its nodes behind breakers, and takes of the policies what these need', () => {
    const needed = [/^errors\//, /^events\/event-bus\.ts$/, /^kernel\//, /^policies\/circuit-breaker\//];

    const others = strays('data', []).filter((line) => {
      const [, to = ''] = line.split(' -> lib/');
      return line.startsWith(FAILOVER) && !needed.some((one) => one.test(to));
    });

    expect(others).toEqual([]);
    expect(strays('data', []).some((line) => line.includes('/circuit-breaker/'))).toBe(true);
  });

  it('lib/cluster has one folder for each vendor, which stand above the module and know nothing of each other', () => {
    const vendors = [...new Set(inside('cluster').map(({ path }) => path.split('/')[2] as string))];
    const own = (vendor: string) =>
      inside(`cluster/${vendor}`).flatMap(({ path, imports }) =>
        imports.flatMap(({ file }) =>
          file === undefined ||
          file.startsWith(`lib/cluster/${vendor}/`) ||
          file.startsWith('lib/data/port/') ||
          BELOW_CLUSTER.includes(partOf(file))
            ? []
            : [`${path} -> ${file}`],
        ),
      );

    expect(vendors.length).toBeGreaterThan(0);
    expect(vendors.flatMap(own).filter((line) => !COMMANDS_OF_A_FLEET.test(line))).toEqual([]);
  });

  it('do not import lib/index.ts', () => {
    const offenders = lib.filter(({ imports }) => imports.some(({ file }) => file === 'lib/index.ts'));

    expect(offenders.map(({ path }) => path)).toEqual([]);
  });

  it('do not import each other in a circle, file by file, types included', () => {
    const graph = new Map(lib.map(({ path, imports }) => [path, imports.flatMap(({ file }) => file ?? [])]));

    expect(circlesIn(graph)).toEqual([]);
  });

  it('do not import each other in a circle, folder by folder, types included', () => {
    expect(circlesIn(folders())).toEqual([]);
  });

  it('import files that are there', () => {
    const known = new Set(lib.map(({ path }) => path));

    const lost = lib.flatMap(({ path, imports }) =>
      imports.filter(({ file }) => file !== undefined && !known.has(file)).map(({ file }) => `${path} -> ${file}`),
    );

    expect(lost).toEqual([]);
  });
});

describe("the dashboard's page", () => {
  it('takes of lib the protocol alone, and of that the types', () => {
    const taken = page.flatMap(({ path, imports }) =>
      imports.flatMap(({ file }) => (file === undefined || file.startsWith(PAGE) ? [] : [`${path} -> ${file}`])),
    );
    const loaded = page.filter(({ valueImports }) => valueImports.some(({ file }) => file === PROTOCOL));

    expect(taken.length).toBeGreaterThan(0);
    expect(taken.filter((line) => !line.endsWith(`-> ${PROTOCOL}`))).toEqual([]);
    expect(loaded.map(({ path }) => path)).toEqual([]);
  });

  it('is imported by nothing of lib', () => {
    const users = lib.filter(({ imports }) => imports.some(({ file }) => file?.startsWith(PAGE)));

    expect(users.map(({ path }) => path)).toEqual([]);
  });

  it('stands on three packages', () => {
    const used = new Set(packages(page).map((line) => line.split(' -> ')[1]));

    expect([...used].sort()).toEqual(['@preact/signals', 'preact', 'uplot']);
  });

  it('is layered: model, client, state, view', () => {
    const layers = ['model', 'client', 'state', 'view'];
    const layerOf = (path: string): string => path.slice(`${PAGE}src/`.length).split('/')[0] as string;
    const upwards = page
      .filter(({ path }) => layers.includes(layerOf(path)))
      .flatMap(({ path, imports }) =>
        imports
          .filter(({ file }) => file?.startsWith(PAGE) && layers.indexOf(layerOf(file)) > layers.indexOf(layerOf(path)))
          .map(({ file }) => `${path} -> ${file}`),
      );

    expect(upwards).toEqual([]);
  });

  it('has no circles', () => {
    const graph = new Map(page.map(({ path, imports }) => [path, imports.flatMap(({ file }) => file ?? [])]));

    expect(circlesIn(graph)).toEqual([]);
  });

  it('puts no markup together from text', () => {
    expect(page.filter(({ text }) => /dangerouslySetInnerHTML|innerHTML|outerHTML/.test(text))).toEqual([]);
  });
});

describe('pure folders', () => {
  it.each(['rules', 'planning', 'guarded', 'pipeline', 'kernel', 'events'])('lib/%s imports no package', (part) => {
    expect(packages(inside(part))).toEqual([]);
  });

  it('lib/policies imports no package but opossum, and that in circuit-breaker only', () => {
    const strangers = packages(inside('policies')).filter(
      (line) => !/^lib\/policies\/circuit-breaker\/.* -> opossum$/.test(line),
    );

    expect(strangers).toEqual([]);
  });

  it('lib/errors takes HttpException from Nest and nothing else', () => {
    const taken = inside('errors').flatMap(({ path, imports }) =>
      imports
        .filter(({ file }) => file === undefined)
        .flatMap(({ specifier, names }) => names.map((name) => `${path}: ${name} of ${specifier}`)),
    );

    expect(taken.filter((line) => !line.endsWith(': HttpException of @nestjs/common'))).toEqual([]);
  });

  it('each client of a cluster is imported by its own folder alone', () => {
    const users = packages(lib).filter((line) => /-> (?:ioredis|etcd3)$/.test(line));

    expect(users.filter((line) => !/^lib\/cluster\/(?:redis\/.* -> ioredis|etcd\/.* -> etcd3)$/.test(line))).toEqual(
      [],
    );
  });

  it('what shows metrics is imported by its own folder alone, and of OpenTelemetry nothing but its API', () => {
    const users = packages(lib).filter((line) => /-> (?:prom-client|@opentelemetry\/\S+)$/.test(line));

    const own = /^lib\/observability\/(?:metrics\/.* -> prom-client|otel\/.* -> @opentelemetry\/api)$/;
    expect(users.length).toBeGreaterThan(0);
    expect(users.filter((line) => !own.test(line))).toEqual([]);
  });

  it('opossum is imported by lib/policies/circuit-breaker alone', () => {
    const users = packages(lib).filter((line) => line.endsWith('-> opossum'));

    expect(users.length).toBeGreaterThan(0);
    expect(users.filter((line) => !line.startsWith('lib/policies/circuit-breaker/'))).toEqual([]);
  });

  it('nothing imports lib/cluster but the command line, when it is asked for it', () => {
    const users = lib.flatMap(({ path, imports }) =>
      path.startsWith('lib/cluster/') || path === LOADS_COMMANDS_OF_A_FLEET
        ? []
        : imports.filter(({ file }) => file?.startsWith('lib/cluster/')),
    );

    expect(users).toEqual([]);
  });

  it('take time and chance from their surroundings: only the system clock reads the globals', () => {
    const forbidden = new Set([
      'setTimeout',
      'setInterval',
      'setImmediate',
      'clearTimeout',
      'performance.now',
      'Date.now',
      'Math.random',
    ]);
    const found: string[] = [];
    for (const file of LAYERS.slice(LAYERS.indexOf('rules')).flatMap(inside)) {
      if (file.path === 'lib/kernel/clock.ts') continue;
      walk(file.tree, (node) => {
        if (!ts.isCallExpression(node)) return;
        const callee = node.expression.getText(file.tree);
        if (forbidden.has(callee)) found.push(`${placeOf(file, node)} ${callee}`);
      });
      walk(file.tree, (node) => {
        if (ts.isNewExpression(node) && node.expression.getText(file.tree) === 'Date' && !node.arguments?.length)
          found.push(`${placeOf(file, node)} new Date()`);
      });
    }

    expect(found).toEqual([]);
  });
});

describe('the running call', () => {
  it('is kept for code far below it in one file', () => {
    const users = lib.filter(({ tree }) => {
      let uses = false;
      walk(tree, (node) => (uses ||= ts.isImportSpecifier(node) && node.name.text === 'AsyncLocalStorage'));
      return uses;
    });

    expect(users.map(({ path }) => path)).toEqual(['lib/pipeline/current-call.ts']);
  });
});

/** What a set calls its policies. */
const KEYS: ReadonlySet<string> = new Set(POLICY_KEYS);

/** Where the key itself is the question: an event of this policy, the methods that a retry may repeat. */
const TOLD_BY_KEY = [
  'lib/module/event-log/lines.ts hedge',
  'lib/module/event-log/lines.ts rateLimit',
  'lib/module/interceptors/policy.interceptor.ts retry',
];

/** The names in a list, in an object or in a type. */
function namesIn(node: ts.Node): string[] {
  if (ts.isArrayLiteralExpression(node)) return node.elements.filter(ts.isStringLiteral).map((element) => element.text);
  if (ts.isObjectLiteralExpression(node) || ts.isInterfaceDeclaration(node) || ts.isTypeLiteralNode(node))
    return [...(ts.isObjectLiteralExpression(node) ? node.properties : node.members)].flatMap(({ name }) =>
      name !== undefined && (ts.isIdentifier(name) || ts.isStringLiteral(name)) ? name.text : [],
    );
  return [];
}

describe('policies', () => {
  const policies = [
    ...new Set(
      inside('policies')
        .filter(({ path }) => path.endsWith('.kind.ts'))
        .map(({ path }) => path.split('/')[2] as string),
    ),
  ];

  it('are one folder each, and are all in the list of kinds', () => {
    const kinds = lib.find(({ path }) => path === 'lib/policies/kinds.ts') as SourceFile;
    const listed = kinds.imports.flatMap(
      ({ file }) => /^lib\/policies\/([^/]+)\/.*\.kind\.ts$/.exec(file ?? '')?.[1] ?? [],
    );

    expect(policies.length).toBeGreaterThan(8);
    expect(listed.sort()).toEqual([...policies].sort());
  });

  it.each(policies)('%s imports no other policy', (policy) => {
    const others = inside('policies')
      .filter(({ path }) => path.startsWith(`lib/policies/${policy}/`))
      .flatMap(({ path, imports }) =>
        imports
          .map(({ file }) => file?.split('/')[2] ?? '')
          .filter((folder) => folder !== policy && policies.includes(folder))
          .map((folder) => `${path} -> ${folder}`),
      );

    expect(others).toEqual([]);
  });

  it.each(policies)('%s has the file roles that every policy has: kind and options', (policy) => {
    const names = inside('policies')
      .filter(({ path }) => path.startsWith(`lib/policies/${policy}/`))
      .map(({ path }) => path.split('/').pop() as string);

    expect(names).toEqual(expect.arrayContaining([`${policy}.kind.ts`, `${policy}.options.ts`]));
  });

  it('are listed nowhere else: every list of them derives from the kinds', () => {
    const found: string[] = [];
    for (const file of lib) {
      if (file.path === 'lib/pipeline/order.ts') continue;
      walk(file.tree, (node) => {
        const names = namesIn(node).filter((name) => KEYS.has(name));
        if (names.length > 2) found.push(`${placeOf(file, node)} ${names.join(', ')}`);
      });
    }

    expect(found).toEqual([]);
  });

  it('are told apart by what their kinds say, and not by their keys', () => {
    const found = new Set<string>();
    for (const file of lib) {
      walk(file.tree, (node) => {
        if (!ts.isBinaryExpression(node) || !ts.isStringLiteral(node.right) || !KEYS.has(node.right.text)) return;
        const isKey = /(?:^|\.)(?:key|policy)$/.test(node.left.getText(file.tree));
        if (isKey && /^[!=]==$/.test(node.operatorToken.getText(file.tree)))
          found.add(`${file.path} ${node.right.text}`);
      });
    }

    expect([...found].sort()).toEqual(TOLD_BY_KEY);
  });
});

describe('the root entry', () => {
  const index = lib.find(({ path }) => path === 'lib/index.ts') as SourceFile;

  it('holds named re-exports and nothing else', () => {
    const others = index.tree.statements.filter(
      (statement) =>
        !ts.isExportDeclaration(statement) ||
        statement.moduleSpecifier === undefined ||
        statement.exportClause === undefined ||
        !ts.isNamedExports(statement.exportClause),
    );

    expect(others.map((statement) => `${placeOf(index, statement)} ${statement.getText(index.tree)}`)).toEqual([]);
  });

  it('does not load a backend of the data, nor any package that a user may lack', () => {
    const reached = reachedFrom('lib/index.ts', lib, true);

    const backends = [...reached].filter(([path]) => /^lib\/data\/(?!port\/)/.test(path));
    const loaded = new Set(
      [...reached.keys()].flatMap((path) =>
        (lib.find((file) => file.path === path)?.valueImports ?? [])
          .filter(({ file, specifier }) => file === undefined && !isBuiltin(specifier))
          .map(({ specifier }) => packageOf(specifier)),
      ),
    );

    expect(backends.map(([, way]) => way.join(' > '))).toEqual([]);
    expect([...loaded].sort()).toEqual(['@nestjs/common', '@nestjs/core', 'opossum', 'reflect-metadata', 'rxjs']);
  });

  it('does not lead to the types of a package that a user may lack', () => {
    const { peerDependencies, peerDependenciesMeta, dependencies } = JSON.parse(
      readFileSync(join(ROOT, 'package.json'), 'utf8'),
    ) as Record<'peerDependencies' | 'peerDependenciesMeta' | 'dependencies', Record<string, { optional?: boolean }>>;
    const certain = new Set([
      ...Object.keys(dependencies),
      ...Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true),
    ]);

    const uncertain = [...reachedFrom('lib/index.ts', lib, false)].flatMap(([path, way]) =>
      (lib.find((file) => file.path === path)?.imports ?? [])
        .filter(
          ({ file, specifier }) => file === undefined && !isBuiltin(specifier) && !certain.has(packageOf(specifier)),
        )
        .map(({ specifier }) => `${way.join(' > ')} > ${specifier}`),
    );

    expect(uncertain).toEqual([]);
  });
});

describe('every file of lib', () => {
  it(`has at most ${MOST_LINES} lines`, () => {
    const long = all.filter(({ text }) => text.trimEnd().split('\n').length > MOST_LINES);

    expect(long.map(({ path }) => path)).toEqual([]);
  });

  it('has named exports only', () => {
    const found: string[] = [];
    for (const file of all) {
      walk(file.tree, (node) => {
        const isDefault =
          (ts.isExportAssignment(node) && node.isExportEquals !== true) ||
          (ts.canHaveModifiers(node) &&
            ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword) === true) ||
          (ts.isExportSpecifier(node) && node.name.text === 'default');
        if (isDefault) found.push(placeOf(file, node));
      });
    }

    expect(found).toEqual([]);
  });

  it('can be compiled to CommonJS, as Jest needs it: only the command line asks for `import.meta`', () => {
    const found: string[] = [];
    for (const file of lib.filter(({ path }) => !path.startsWith('lib/cli/'))) {
      walk(file.tree, (node) => {
        if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword)
          found.push(placeOf(file, node));
      });
    }

    expect(found).toEqual([]);
  });

  it('says `any` only where a reason stands above', () => {
    const found: string[] = [];
    for (const file of [...all, ...examples, ...sample.filter(({ path }) => !path.includes('/test/'))]) {
      const lines = file.text.split('\n');
      walk(file.tree, (node) => {
        if (node.kind !== ts.SyntaxKind.AnyKeyword) return;
        const { line } = file.tree.getLineAndCharacterOfPosition(node.getStart(file.tree));
        const reasoned = /eslint-disable-next-line .*no-explicit-any.* -- \S/.test(lines[line - 1] ?? '');
        if (!reasoned) found.push(placeOf(file, node));
      });
    }

    expect(found).toEqual([]);
  });

  it('can be made CommonJS, which has no import.meta, unless it is the command line', () => {
    const found = lib.filter(({ path, tree }) => {
      let says = false;
      walk(tree, (node) => (says ||= ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword));
      return says && !path.startsWith('lib/cli/');
    });

    expect(found.map(({ path }) => path)).toEqual([]);
  });

  it('never silences the compiler, and the linter only with a reason', () => {
    const found = [...all, ...sample, ...examples].flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, index) => {
        const silenced = /@ts-(?:ignore|nocheck|expect-error)/.test(line);
        const unreasoned = /eslint-disable/.test(line) && !/ -- \S/.test(line);
        return silenced || unreasoned ? [`${path}:${index + 1} ${line.trim()}`] : [];
      }),
    );

    expect(found).toEqual([]);
  });
});

describe('sample-app', () => {
  it('imports the package by its public names only, as the examples do', () => {
    const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      exports: Record<string, unknown>;
    };
    const open = Object.keys(exports)
      .filter((key) => key !== './package.json')
      .map((key) => `nestjs-bulwark${key.slice(1)}`);

    const strangers = [...sample, ...examples].flatMap(({ path, imports }) =>
      imports
        .filter(({ file, specifier }) =>
          file === undefined
            ? packageOf(specifier) === 'nestjs-bulwark' && !open.includes(specifier)
            : !/^(?:sample-app|examples)\//.test(file),
        )
        .map(({ specifier }) => `${path} -> ${specifier}`),
    );

    expect(strangers).toEqual([]);
  });

  it('uses the package', () => {
    const users = sample.filter(({ imports }) => imports.some(({ specifier }) => specifier === 'nestjs-bulwark'));

    expect(users.length).toBeGreaterThan(0);
  });
});
