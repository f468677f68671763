import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { AppModule } from '../src/app.module';

let app: INestApplication;
let provider: Server;
let asked = 0;

beforeAll(async () => {
  provider = createServer((_request, response) => {
    asked += 1;
    response.writeHead(500).end();
  }).listen(0, '127.0.0.1');
  await once(provider, 'listening');
  process.env['RATES_URL'] = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
  app = module.createNestApplication();
  await app.listen(0, '127.0.0.1');
});

afterAll(async () => {
  await app.close();
  provider.close();
});

it('answers with the last known rate, and stops asking a provider that is down', async () => {
  for (let call = 0; call < 6; call++) {
    const answer = await fetch(`${await app.getUrl()}/rates/EUR`);
    expect(await answer.json()).toBe(1.08);
  }

  expect(asked).toBe(4);
});
