import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Args, GraphQLModule, Query, Resolver } from '@nestjs/graphql';
import {
  Bulkhead,
  CircuitBreaker,
  CircuitOpenException,
  currentCall,
  Fallback,
  fixed,
  ResilienceModule,
  Retry,
  Timeout,
  type ResilienceErrorCode,
} from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { rejection, start } from '../support/harness.js';
import { itHoldsOnHandlers, type Handler, type Opened } from './support/handlers.js';
import { Work } from './support/work.js';

@Resolver()
class Resolvers {
  constructor(private readonly work: Work) {}

  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  @Query(() => String)
  async retried(): Promise<string> {
    return this.work.failTwice();
  }

  @Query(() => String)
  @Timeout(30)
  async hanging(): Promise<string> {
    return this.work.hang();
  }

  @CircuitBreaker('transports-open', { volumeThreshold: 1, resetTimeout: 60_000 })
  @Query(() => String)
  async open(): Promise<string> {
    return this.work.fail();
  }

  @Query(() => String)
  @Bulkhead(1)
  async held(): Promise<string> {
    return this.work.hold();
  }

  @Fallback({ value: 'a substitute' })
  @Query(() => String)
  async answered(): Promise<string> {
    return this.work.fail();
  }

  @Query(() => String)
  plain(@Args('name', { type: () => String }) _name: string): Promise<string> {
    return this.work.hang(currentCall()?.signal);
  }
}

interface GraphqlError {
  readonly message: string;
  readonly extensions: Record<string, unknown>;
}

type Ask = (query: string, headers?: Record<string, string>) => Promise<{ data: unknown; errors?: GraphqlError[] }>;
type ModuleOptions = NonNullable<Parameters<typeof ResilienceModule.forRoot>[0]>;

async function open(
  forRoot: ModuleOptions = {},
  graphql: Partial<ApolloDriverConfig> = {},
): Promise<Opened & { query: Ask }> {
  const { app, log, url } = await start({
    imports: [
      ResilienceModule.forRoot({ exceptionFilter: true, callContext: true, log: false, ...forRoot }),
      GraphQLModule.forRoot<ApolloDriverConfig>({
        driver: ApolloDriver,
        autoSchemaFile: true,
        includeStacktraceInErrorResponses: false,
        ...graphql,
      }),
    ],
    providers: [Work, Resolvers],
  });
  const query: Ask = async (text, headers = {}) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query: text }),
    });
    return (await response.json()) as Awaited<ReturnType<Ask>>;
  };
  const ask = async (handler: Handler): Promise<unknown> => {
    const { data, errors } = await query(`{ ${handler} }`);
    if (errors !== undefined) throw errors[0];
    return (data as Record<string, unknown>)[handler];
  };
  return { app, log, query, ask, work: app.get(Work) };
}

function expectError(error: unknown, code: ResilienceErrorCode): void {
  const { message, extensions } = error as GraphqlError;
  expect(message).toContain(`(${code})`);
  expect(extensions).toEqual({ code, ...(code === 'CIRCUIT_OPEN' ? { retryAfterMs: expect.any(Number) } : {}) });
}

describe('a resolver of Apollo', () => {
  itHoldsOnHandlers({ open, expectError, answersFirst: true });

  it('hands the error of the library to the formatError of the app', async () => {
    const seen: unknown[] = [];
    const { ask } = await open(
      {},
      {
        formatError: (formatted, error) => {
          seen.push((error as { originalError?: { cause?: unknown } }).originalError?.cause);
          return formatted;
        },
      },
    );
    await rejection(ask('open'));

    await rejection(ask('open'));

    expect(seen.at(-1)).toBeInstanceOf(CircuitOpenException);
  });

  it('is bounded by the time that its client gives, whatever the context of the app is', async () => {
    const { query, work } = await open({ deadlines: { accept: true } });
    const bare = await open(
      { deadlines: { accept: true } },
      { context: ({ req }: { req: { headers: object } }) => ({ req: { headers: req.headers, method: 'POST' } }) },
    );
    const timed = { 'X-Request-Timeout': '80m' };

    const { errors } = await query('{ a: plain(name: "a") b: plain(name: "b") }', timed);
    const other = await bare.query('{ plain(name: "a") }', timed);

    expect(errors?.map(({ extensions }) => extensions['code'])).toEqual(['TIMEOUT']);
    expect(other.errors?.map(({ extensions }) => extensions['code'])).toEqual(['TIMEOUT']);
    expect([work.cuts.length, bare.work.cuts.length]).toEqual([2, 1]);
  });
});
