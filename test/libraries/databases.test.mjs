import { createRequire } from 'node:module';
import { PrismaPg } from '@prisma/adapter-pg';
import * as prisma from '@prisma/client/runtime/client';
import { sql } from 'drizzle-orm';
import { drizzle as drizzleMysql } from 'drizzle-orm/mysql2';
import { drizzle as drizzlePostgres } from 'drizzle-orm/node-postgres';
import knex from 'knex';
import Libsql from 'libsql';
import { MikroORM as MikroMariadb } from '@mikro-orm/mariadb';
import { EntitySchema as MikroSchema, MikroORM as MikroPostgres } from '@mikro-orm/postgresql';
import * as mongodb from 'mongodb';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { DataTypes, Sequelize } from 'sequelize';
import { DataSource, EntitySchema } from 'typeorm';
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest';
import { mysqlServer, postgresServer, randomTable } from '../support/servers/shared-servers.ts';
import { NOBODY, outcomes } from './support/outcomes.mjs';

const require = createRequire(import.meta.url);
const TABLE = randomTable();
const ADAPTED = randomTable();
const COLUMNS = '(id int PRIMARY KEY, email varchar(5) NOT NULL UNIQUE, version int NOT NULL DEFAULT 1)';

/** A row that is there, one whose text is too long, and one without what it must have. */
const TWICE = { id: 1, email: 'one' };
const LONG = { id: 2, email: 'much too long' };
const EMPTY = { id: 3 };
const ABSENT = { id: 99 };
const insert = ({ id, email }, table = TABLE) =>
  `INSERT INTO ${table} (id${email ? ', email' : ''}) VALUES (${id}${email ? `, '${email}'` : ''})`;
const WRONG = 'SELECT * FROM bulwark_no_such_table';

const postgres = await postgresServer();
const mariadb = await mysqlServer();
const servers = [
  { ...postgres, dialect: 'postgres', sleep: 'SELECT pg_sleep(1)' },
  { ...mariadb, dialect: 'mysql', sleep: 'SELECT SLEEP(1)' },
];

describe.each(servers)('$name: the error of', ({ dialect, url, missing, run, sleep }) => {
  const isPostgres = dialect === 'postgres';
  const open = {};

  beforeAll(async () => {
    if (missing) return;
    await run(`CREATE TABLE ${TABLE} ${COLUMNS}`);
    await run(insert(TWICE));
    open.knex = knex({ client: isPostgres ? 'pg' : 'mysql2', connection: url });
    open.sequelize = new Sequelize(url, { logging: false });
    const attributes = {
      id: { type: DataTypes.INTEGER, primaryKey: true },
      email: { type: DataTypes.STRING, validate: { notIn: [['bad']] } },
    };
    open.Sequelized = open.sequelize.define('Row', attributes, {
      tableName: TABLE,
      timestamps: false,
      version: 'version',
    });
    const columns = {
      id: { type: Number, primary: true },
      email: { type: String },
      version: { type: Number, version: true },
    };
    const Row = new EntitySchema({ name: 'Row', tableName: TABLE, columns });
    open.typeorm = await new DataSource({ type: dialect, url, entities: [Row] }).initialize();
    const properties = {
      id: { type: 'number', primary: true },
      email: { type: 'string', length: 5 },
      version: { type: 'number', version: true },
    };
    const Mikro = isPostgres ? MikroPostgres : MikroMariadb;
    open.mikro = await Mikro.init({
      entities: [new MikroSchema({ name: 'Row', tableName: TABLE, properties })],
      clientUrl: url,
    });
    open.pool = isPostgres ? new pg.Pool({ connectionString: url }) : mysql.createPool(url);
    open.drizzle = isPostgres ? drizzlePostgres(open.pool) : drizzleMysql(open.pool);
  });

  afterAll(async () => {
    if (missing) return;
    await open.knex?.destroy();
    await open.sequelize?.close();
    await open.typeorm?.destroy();
    await open.mikro?.close();
    await open.pool?.end();
    await run(`DROP TABLE ${TABLE}`);
  });

  describe.skipIf(missing)('the driver', () => {
    const nobody = () =>
      isPostgres
        ? new pg.Client({ host: '127.0.0.1', port: NOBODY }).connect()
        : mysql.createConnection({ host: '127.0.0.1', port: NOBODY });

    outcomes([
      [dialect, 'a key that is there', 'answered', () => open.pool.query(insert(TWICE))],
      [dialect, 'a text too long', 'answered', () => open.pool.query(insert(LONG))],
      [dialect, 'no value', 'answered', () => open.pool.query(insert(EMPTY))],
      [dialect, 'a table that is not there', 'answered', () => open.pool.query(WRONG)],
      [dialect, 'a wrong statement', 'answered', () => open.pool.query('SELEC 1')],
      [dialect, 'nobody there', 'failure', nobody],
      [dialect, 'a statement that takes too long', 'failure', () => tooLong()],
      [dialect, 'a deadlock', 'failure', () => deadlock()],
    ]);

    async function tooLong() {
      if (!isPostgres) return open.pool.query(`SET STATEMENT max_statement_time=0.05 FOR ${sleep}`);
      const client = await open.pool.connect();
      onTestFinished(() => client.release(true));
      await client.query('SET statement_timeout = 50');
      return client.query(sleep);
    }

    /** Two transactions, each waiting for the row that the other has: one of them is told. */
    async function deadlock() {
      const name = randomTable();
      await run(`CREATE TABLE ${name} (id int PRIMARY KEY, n int)`);
      onTestFinished(() => run(`DROP TABLE ${name}`));
      await run(`INSERT INTO ${name} VALUES (1, 0), (2, 0)`);
      const sessions = await Promise.all(
        [0, 1].map(() => (isPostgres ? open.pool.connect() : open.pool.getConnection())),
      );
      const touch = (session, id) => session.query(`UPDATE ${name} SET n = n + 1 WHERE id = ${id}`);
      try {
        for (const session of sessions) await session.query('BEGIN');
        await touch(sessions[0], 1);
        await touch(sessions[1], 2);
        const results = await Promise.allSettled([touch(sessions[0], 2), touch(sessions[1], 1)]);
        for (const { reason } of results) if (reason) throw reason;
      } finally {
        await Promise.all(sessions.map((session) => session.query('ROLLBACK')));
        for (const session of sessions) session.release();
      }
    }
  });

  describe.skipIf(missing)('a library', () => {
    const rows = (library, works) => works.map(([what, meaning, work]) => [library, what, meaning, work]);
    const table = () => open.knex(TABLE);
    const busy = () => {
      const full = knex({
        client: isPostgres ? 'pg' : 'mysql2',
        connection: url,
        pool: { min: 0, max: 1 },
        acquireConnectionTimeout: 100,
        log: { warn() {}, error() {} },
      });
      return full.transaction(() => full.raw('SELECT 1')).finally(() => full.destroy());
    };
    const fullSequelize = () => {
      const full = new Sequelize(url, { logging: false, pool: { max: 1, acquire: 100 } });
      return full.transaction(() => full.query('SELECT 1')).finally(() => full.close());
    };
    const nobody = `${dialect}://root@127.0.0.1:${NOBODY}/test`;
    const rowOf = (manager) => manager.findOne('Row', { id: 1 });

    outcomes([
      ...rows('Knex', [
        ['a key that is there', 'answered', () => table().insert(TWICE)],
        ['a text too long', 'answered', () => table().insert(LONG)],
        ['no value', 'answered', () => table().insert(EMPTY)],
        ['a table that is not there', 'answered', () => open.knex.raw(WRONG)],
        ['its own timeout', 'failure', () => open.knex.raw(sleep).timeout(50)],
        ['a full pool', 'failure', busy],
      ]),
      ...rows('Sequelize', [
        ['a key that is there', 'answered', () => open.Sequelized.create(TWICE)],
        ['a text too long', 'answered', () => open.Sequelized.create(LONG)],
        ['no value', 'answered', () => open.Sequelized.create(EMPTY)],
        ['a value that its own check refuses', 'answered', () => open.Sequelized.create({ id: 4, email: 'bad' })],
        ['an absent row', 'answered', () => open.Sequelized.findByPk(ABSENT.id, { rejectOnEmpty: true })],
        ['a table that is not there', 'answered', () => open.sequelize.query(WRONG)],
        ['a full pool', 'failure', fullSequelize],
        ['nobody there', 'failure', () => new Sequelize(nobody, { logging: false }).authenticate()],
        [
          'a row that another has changed',
          'answered',
          async () => {
            const [mine, theirs] = await Promise.all([1, 1].map((id) => open.Sequelized.findByPk(id)));
            await theirs.update({ email: 'two' });
            await mine.update({ email: 'six' });
          },
        ],
      ]),
      ...rows('TypeORM', [
        ['a key that is there', 'answered', () => open.typeorm.getRepository('Row').insert(TWICE)],
        ['a text too long', 'answered', () => open.typeorm.getRepository('Row').insert(LONG)],
        ['an absent row', 'answered', () => open.typeorm.getRepository('Row').findOneByOrFail(ABSENT)],
        ['a table that is not there', 'answered', () => open.typeorm.query(WRONG)],
        ['nobody there', 'failure', () => new DataSource({ type: dialect, url: nobody }).initialize()],
        [
          'a row that another has changed',
          'answered',
          () =>
            open.typeorm.getRepository('Row').findOne({ where: { id: 1 }, lock: { mode: 'optimistic', version: 7 } }),
        ],
      ]),
      ...rows('MikroORM', [
        ['a key that is there', 'answered', () => open.mikro.em.fork().insert('Row', TWICE)],
        ['a text too long', 'answered', () => open.mikro.em.fork().insert('Row', LONG)],
        ['no value', 'answered', () => open.mikro.em.fork().insert('Row', EMPTY)],
        ['an absent row', 'answered', () => open.mikro.em.fork().findOneOrFail('Row', ABSENT)],
        ['a table that is not there', 'answered', () => open.mikro.em.fork().getConnection().execute(WRONG)],
        [
          'a row that another has changed',
          'answered',
          async () => {
            const em = open.mikro.em.fork();
            await em.lock(await rowOf(em), 1, { lockVersion: 7 });
          },
        ],
      ]),
      ...rows('Drizzle', [
        ['a key that is there', 'answered', () => open.drizzle.execute(sql.raw(insert(TWICE)))],
        ['a text too long', 'answered', () => open.drizzle.execute(sql.raw(insert(LONG)))],
        ['a table that is not there', 'answered', () => open.drizzle.execute(sql.raw(WRONG))],
        ...(isPostgres
          ? [
              [
                'nobody there',
                'failure',
                () => drizzlePostgres(new pg.Pool({ host: '127.0.0.1', port: NOBODY })).execute(sql`SELECT 1`),
              ],
            ]
          : [
              [
                'nobody there',
                'failure',
                () => drizzleMysql(mysql.createPool({ host: '127.0.0.1', port: NOBODY })).execute(sql`SELECT 1`),
              ],
            ]),
      ]),
    ]);
  });
});

describe.skipIf(postgres.missing)("the error of Prisma's driver adapter", () => {
  beforeAll(() => postgres.run(`CREATE TABLE ${ADAPTED} ${COLUMNS}; ${insert(TWICE, ADAPTED)}`));
  afterAll(() => postgres.run(`DROP TABLE ${ADAPTED}`));

  const raw = async (statement) => {
    const adapter = await new PrismaPg({ connectionString: postgres.url }).connect();
    onTestFinished(() => adapter.dispose());
    return adapter.queryRaw({ sql: statement, args: [], argTypes: [] });
  };
  /** As Prisma Client 7 hands on what its adapter says, where it has no name for it. */
  const unnamed = (code, statement) => async () => {
    const driverAdapterError = await raw(statement).catch((error) => error);
    const { originalCode } = driverAdapterError.cause;
    throw new prisma.PrismaClientKnownRequestError(`Raw query failed. Code: ${originalCode}`, {
      code,
      clientVersion: '7',
      meta: { driverAdapterError },
    });
  };

  outcomes([
    ['Prisma', 'a key that is there', 'answered', () => raw(insert(TWICE, ADAPTED))],
    ['Prisma', 'a table that is not there', 'answered', () => raw(WRONG)],
    ['Prisma', 'a raw query with a key that is there', 'answered', unnamed('P2010', insert(TWICE, ADAPTED))],
    ['Prisma', 'a raw query that divides by 0', 'answered', unnamed('P2010', 'SELECT 1 / 0')],
    [
      'Prisma',
      'a query that the server ended',
      'failure',
      unnamed('P2010', 'SELECT pg_terminate_backend(pg_backend_pid())'),
    ],
    ['Prisma', 'what has no name and is a wrong statement', 'answered', unnamed('P2039', 'SELEC 1')],
    [
      'Prisma',
      'nobody there',
      'failure',
      async () => {
        const adapter = await new PrismaPg({ host: '127.0.0.1', port: NOBODY }).connect();
        await adapter.queryRaw({ sql: 'SELECT 1', args: [], argTypes: [] });
      },
    ],
  ]);
});

describe.skipIf(mariadb.missing)('the error for a user with limits', () => {
  const USER = `bw_${process.pid}`;

  beforeAll(async () => {
    await mariadb.run(`CREATE USER ${USER}@'127.0.0.1' WITH MAX_USER_CONNECTIONS 1`);
    await mariadb.run(`GRANT ALL ON test.* TO ${USER}@'127.0.0.1'`);
  });

  afterAll(() => mariadb.run(`DROP USER ${USER}@'127.0.0.1'`));

  const connect = () => {
    const to = new URL(mariadb.url);
    to.username = USER;
    to.password = '';
    to.hostname = '127.0.0.1';
    return mysql.createConnection(to.href);
  };

  outcomes([
    [
      'mysql',
      'a connection too many, whose state is 42000',
      'failure',
      async () => {
        const first = await connect();
        onTestFinished(() => first.end());
        await connect();
      },
    ],
  ]);
});

describe.each([
  ['6', require('prisma-client-6/runtime/library')],
  ['7', prisma],
])(
  'the error of Prisma Client %s',
  (
    clientVersion,
    {
      PrismaClientKnownRequestError,
      PrismaClientInitializationError,
      PrismaClientUnknownRequestError,
      PrismaClientValidationError,
    },
  ) => {
    const known = (code) => () => {
      throw new PrismaClientKnownRequestError('said', { code, clientVersion, meta: {} });
    };
    /** @see https://www.prisma.io/docs/orm/reference/error-reference */
    const said = {
      answered: ['P2000', 'P2002', 'P2003', 'P2004', 'P2011', 'P2014', 'P2015', 'P2018', 'P2025'],
      failure: ['P1001', 'P1002', 'P1008', 'P1017', 'P2010', 'P2024', 'P2028', 'P2034', 'P2036', 'P2037'],
    };

    outcomes([
      ...Object.entries(said).flatMap(([meaning, codes]) =>
        codes.map((code) => ['Prisma', code, meaning, known(code)]),
      ),
      [
        'Prisma',
        'a wrong query',
        'answered',
        () => {
          throw new PrismaClientValidationError('said', { clientVersion });
        },
      ],
      [
        'Prisma',
        'a database that is away',
        'failure',
        () => {
          throw new PrismaClientInitializationError('said', clientVersion, 'P1001');
        },
      ],
      [
        'Prisma',
        'what nobody knows',
        'failure',
        () => {
          throw new PrismaClientUnknownRequestError('said', { clientVersion });
        },
      ],
    ]);
  },
);

describe('the error of SQLite', () => {
  const database = new Libsql(':memory:');
  database.exec(`CREATE TABLE ${TABLE} (id int PRIMARY KEY, email text NOT NULL, CHECK (id < 100))`);
  database.exec(insert(TWICE));
  const locked = () => {
    const file = `file:${TABLE}?mode=memory&cache=shared`;
    const [one, other] = [new Libsql(file), new Libsql(file)];
    one.exec('CREATE TABLE t (id int); BEGIN IMMEDIATE');
    other.exec('BEGIN IMMEDIATE');
  };

  outcomes([
    ['libsql', 'a key that is there', 'answered', () => database.exec(insert(TWICE))],
    ['libsql', 'a key that is there, prepared', 'answered', () => database.prepare(insert(TWICE)).run()],
    ['libsql', 'no value', 'answered', () => database.exec(insert(EMPTY))],
    ['libsql', 'a value that a check refuses', 'answered', () => database.exec(insert({ id: 100, email: 'x' }))],
    ['libsql', 'a table that is not there', 'answered', () => database.prepare(WRONG)],
    ['libsql', 'a column that is not there', 'answered', () => database.prepare(`SELECT nothing FROM ${TABLE}`)],
    ['libsql', 'a wrong statement', 'answered', () => database.exec('SELEC 1')],
    ['libsql', 'a locked database', 'failure', locked],
    ['libsql', 'a folder that is not there', 'failure', () => new Libsql('/no/such/folder/file.db')],
  ]);
});

describe('the error of MongoDB', () => {
  const thrown = (error) => () => {
    throw error;
  };
  const server = (code, message, labels = []) =>
    thrown(new mongodb.MongoServerError({ code, message, errmsg: message, errorLabels: labels }));
  const bulk = (code) =>
    thrown(new mongodb.MongoBulkWriteError({ code, message: 'said', writeErrors: [] }, { insertedCount: 0 }));
  const lost = { serverSelectionTimeoutMS: 100 };
  const find = (options, more) => {
    const client = new mongodb.MongoClient(`mongodb://127.0.0.1:${NOBODY}`, options);
    return client
      .db('test')
      .collection('test')
      .findOne({}, more)
      .finally(() => client.close());
  };

  outcomes([
    ['mongodb', 'a key that is there', 'answered', server(11000, 'E11000 duplicate key error')],
    ['mongodb', 'a key that is there, among many', 'answered', bulk(11000)],
    ['mongodb', 'a document that the collection refuses', 'answered', server(121, 'Document failed validation')],
    ['mongodb', 'a wrong query', 'answered', server(2, 'unknown operator: $nope')],
    ['mongodb', 'a primary that steps down', 'failure', server(10107, 'not primary', ['RetryableWriteError'])],
    ['mongodb', 'a write conflict', 'failure', server(112, 'WriteConflict', ['TransientTransactionError'])],
    ['mongodb', 'its own time limit', 'failure', server(50, 'operation exceeded time limit')],
    ['mongodb', 'nobody there', 'failure', () => find(lost)],
    ['mongodb', 'a caller who leaves', 'aborted', (signal) => find({}, { signal })],
  ]);
});
