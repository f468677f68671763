import { Controller, Get, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ResilienceModule } from 'nestjs-bulwark';
import {
  DataAccessException,
  DataConflictException,
  DataDamagedException,
  DataKeyException,
  DataUnavailableException,
  DataValueException,
} from 'nestjs-bulwark/data';
import { expect, it, onTestFinished } from 'vitest';

Logger.overrideLogger(false);

@Controller()
class Orders {
  @Get('away')
  away(): never {
    throw new DataUnavailableException('The database mysql://inside:3306/shop failed', { cause: new Error('inside') });
  }

  @Get('denied')
  denied(): never {
    throw new DataAccessException('inside');
  }

  @Get('key')
  key(): never {
    throw new DataKeyException('inside');
  }
}

async function listen(exceptionFilter: boolean): Promise<string> {
  @Module({ imports: [ResilienceModule.forRoot({ exceptionFilter })], controllers: [Orders] })
  class AppModule {}
  const app = await NestFactory.create(AppModule, { logger: false, forceCloseConnections: true });
  onTestFinished(() => app.close());
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}

it.each([true, false])('data errors have their status, and show nothing of the inside; filter: %s', async (filter) => {
  const url = await listen(filter);
  const answers = await Promise.all(['away', 'denied', 'key'].map((path) => fetch(`${url}/${path}`)));
  const bodies = await Promise.all(answers.map((answer) => answer.text()));

  expect(answers.map(({ status }) => status)).toEqual([503, 500, 400]);
  expect(answers.map(({ headers }) => headers.get('retry-after'))).toEqual([filter ? '1' : null, null, null]);
  expect(bodies.join()).not.toContain('inside');
  expect(JSON.parse(bodies[0]!)).toEqual({
    statusCode: 503,
    message: 'Service Unavailable',
    errorCode: 'DATA_UNAVAILABLE',
  });
});

it('the log has what the client has not', () => {
  const error = new DataUnavailableException('The database failed', { cause: new Error('inside') });

  expect(error.message).toBe('Service Unavailable (DATA_UNAVAILABLE), retry after 1 s');
  expect(error.stack).toContain('The database failed');
  expect(JSON.stringify(error)).not.toContain('database');
  expect({ ...error }).not.toHaveProperty('cause');
});

it.each([
  new DataConflictException('inside', 'inside'),
  new DataValueException('inside', 'value.inside'),
  new DataDamagedException('/inside/journal-1', 7, 'inside'),
])('what an app copies of an error into an answer is public: $name', (error) => {
  expect(JSON.stringify({ ...error, message: error.message })).not.toContain('inside');
  expect(JSON.stringify({ ...error })).not.toContain('offset');
});

it('but the app itself has what is inside', () => {
  expect(new DataConflictException('a', null)).toMatchObject({ key: 'a', expectedVersion: null });
  expect(new DataValueException('', 'value.a')).toHaveProperty('path', 'value.a');
  expect(new DataDamagedException('journal-1', 7, 'torn')).toMatchObject({ file: 'journal-1', offset: 7 });
});
