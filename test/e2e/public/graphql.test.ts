import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { APP_FILTER } from '@nestjs/core';
import { Args, GraphQLModule, Query, Resolver } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ResilienceModule } from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { start } from '../support/harness.js';
import {
  ANSWERERS,
  expectPublic,
  InsideClient,
  KINDS,
  MessageFilter,
  type Answerer,
  type Kind,
} from '../support/inside.js';

@Resolver()
class InsideResolver {
  constructor(private readonly client: InsideClient) {}

  @Query(() => String)
  ask(@Args('kind', { type: () => String }) kind: Kind): Promise<string> {
    return this.client.fail(kind);
  }
}

const SERVERS = [
  {
    server: 'Apollo',
    adapter: () => new ExpressAdapter(),
    graphql: () =>
      GraphQLModule.forRoot<ApolloDriverConfig>({
        driver: ApolloDriver,
        autoSchemaFile: true,
        includeStacktraceInErrorResponses: false,
      }),
  },
  {
    server: 'Mercurius',
    adapter: () => new FastifyAdapter(),
    graphql: () => GraphQLModule.forRoot<MercuriusDriverConfig>({ driver: MercuriusDriver, autoSchemaFile: true }),
  },
];

describe.each(SERVERS)('an error of ours over GraphQL with $server', ({ adapter, graphql }) => {
  async function ask(answerer: Answerer, kind: Kind): Promise<{ text: string; message: string }> {
    const { url } = await start(
      {
        imports: [ResilienceModule.forRoot({ exceptionFilter: answerer === 'module' }), graphql()],
        providers: [
          InsideClient,
          InsideResolver,
          ...(answerer === 'own' ? [{ provide: APP_FILTER, useClass: MessageFilter }] : []),
        ],
      },
      { adapter },
    );
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: `{ ask(kind: "${kind}") }` }),
    });
    const text = await response.text();
    const { errors } = JSON.parse(text) as { errors: { message: string }[] };
    return { text, message: errors[0]?.message ?? '' };
  }

  describe.each(ANSWERERS)('answered by: %s', (answerer) => {
    it.each(KINDS)('shows nothing of the inside, when it is %s', async (kind, code, phrase) => {
      const { text, message } = await ask(answerer, kind);

      expectPublic(text);
      expect(message).toMatch(new RegExp(`^${phrase} \\(${code}\\)(, retry after \\d+ s)?$`));
    });
  });
});
