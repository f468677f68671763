import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  AdaptiveThrottle,
  Bulkhead,
  CircuitBreaker,
  Coalesce,
  Fallback,
  Hedge,
  RateLimit,
  ResilienceModule,
  ResilienceService,
  Retry,
  Timeout,
} from 'nestjs-bulwark';
import { Observable, of } from 'rxjs';
import { succeed, succeeding } from '../support/calls.mjs';
import { interleave } from '../support/interleave.mjs';
import { ratioLine } from '../support/line.mjs';
import { callOf, classWith, stackOfFour } from '../support/stacks.mjs';

export const title = 'a call that succeeds, under each other policy, of each other kind';

const NEVER_LIMITED = { limit: 1e9, per: 1_000 };
const KEYS = Array.from({ length: 1_000 }, (_, index) => `key-${index}`);
const PLANS = 50;

/** In processes of their own: what one does to a process (async hooks, an app, many plans) is not put on the others' bill. */
const GROUPS = {
  policies: () => ({
    bulkhead: callOf([Bulkhead(10)], succeed),
    'bulkhead again': callOf([Bulkhead(10)], succeed),
    'bulkhead by key': withKeys(callOf([Bulkhead({ maxConcurrent: 10, key: (key) => key })], succeed)),
    'adaptive throttle': callOf([AdaptiveThrottle()], succeed),
    'rate limit': callOf([RateLimit(NEVER_LIMITED)], succeed),
    hedge: callOf([Hedge({ after: 1_000 })], succeed),
    'coalesce, nothing shared': withKeys(callOf([Coalesce({ key: (key) => key })], succeed)),
    'a bare method': bare(succeed),
  }),
  streams: () => ({
    'an Observable of one item': watching(callOf([...stackOfFour(), returnsObservable], observe)),
    'an Observable of one item again': watching(callOf([...stackOfFour(), returnsObservable], observe)),
    'an async iterable of one item': reading(callOf(stackOfFour(), iterate)),
    'a bare Observable': watching(bare(observe)),
    'a bare iterable': reading(bare(iterate)),
  }),
  context: async () => ({
    ...(await inApp(
      { 'the stack, callContext': stackOfFour, 'the stack, callContext again': stackOfFour },
      { callContext: true },
    )),
    'a bare method': bare(succeed),
  }),
  listener: async () => ({
    ...(await inApp({ 'the stack, a listener': stackOfFour, 'the stack, a listener again': stackOfFour }, {}, listen)),
    'a bare method': bare(succeed),
  }),
  plans: () => ({
    '50 plans in turn': inTurn(differentPlans()),
    '50 plans in turn again': inTurn(differentPlans()),
    '50 bare methods in turn': inTurn(Array.from({ length: PLANS }, () => bare(async () => 1))),
  }),
};

/** What is measured, beside what. */
const LINES = [
  ['policies', 'bulkhead', 'a bare method'],
  ['policies', 'bulkhead by key', 'a bare method'],
  ['policies', 'adaptive throttle', 'a bare method'],
  ['policies', 'rate limit', 'a bare method'],
  ['policies', 'hedge', 'a bare method'],
  ['policies', 'coalesce, nothing shared', 'a bare method'],
  ['streams', 'an Observable of one item', 'a bare Observable'],
  ['streams', 'an async iterable of one item', 'a bare iterable'],
  ['context', 'the stack, callContext', 'a bare method'],
  ['listener', 'the stack, a listener', 'a bare method'],
  ['plans', '50 plans in turn', '50 bare methods in turn'],
];

export function tasks({ processes, seconds }) {
  return Object.keys(GROUPS).flatMap((group) => new Array(processes).fill({ group, seconds }));
}

export async function measure({ group, seconds }) {
  const subjects = await GROUPS[group]();
  const runs = Object.entries(subjects).map(([name, call]) => [name, { run: succeeding(call) }]);
  return { group, samples: await interleave(Object.fromEntries(runs), { seconds }) };
}

export function report(results) {
  return LINES.map(([group, ours, peer]) => {
    const samples = results.filter((result) => result.group === group).map((result) => result.samples);
    const twin = Object.keys(samples[0]).find((name) => name.endsWith(' again'));
    return ratioLine(samples, { figure: ours, ours, peer, twin, twinOf: twin.slice(0, -' again'.length) });
  });
}

/** A method of a class as well: its call costs what that of a guarded one costs. */
function bare(method) {
  return callOf([], method);
}

function withKeys(call) {
  let made = 0;
  return () => call(KEYS[made++ % KEYS.length]);
}

function observe() {
  return of(1);
}

/** What the compiler writes down for a method whose type says so. */
function returnsObservable(prototype, key) {
  Reflect.defineMetadata('design:returntype', Observable, prototype, key);
}

function watching(call) {
  return () => new Promise((resolve, reject) => call().subscribe({ error: reject, complete: resolve }));
}

async function* iterate() {
  yield 1;
}

function reading(call) {
  return async () => {
    for await (const _item of call());
  };
}

/** The methods as an app's providers; the app ends with the process. */
async function inApp(stacks, options, prepare = () => undefined) {
  const classes = Object.entries(stacks).map(([name, stack]) => [name, classWith(stack(), succeed)]);
  for (const [, type] of classes) Injectable()(type);
  class AppModule {}
  Module({ imports: [ResilienceModule.forRoot(options)], providers: classes.map(([, type]) => type) })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  prepare(app);
  return Object.fromEntries(
    classes.map(([name, type]) => {
      const upstream = app.get(type);
      return [name, () => upstream.request()];
    }),
  );
}

function listen(app) {
  let events = 0;
  app.get(ResilienceService).events$.subscribe(() => events++);
}

function inTurn(calls) {
  let made = 0;
  return () => calls[made++ % calls.length]();
}

/** Fifty of the sets that six policies allow, each on a method and a class of its own, with a work of its own. */
function differentPlans() {
  return Array.from({ length: PLANS }, (_, index) => {
    const policies = [
      Fallback({ value: index }),
      Retry(2 + (index % 3)),
      CircuitBreaker({ timeout: false, volumeThreshold: 10 + index }),
      RateLimit({ limit: 1e6 + index, per: 1_000 }),
      Timeout(1_000 + index),
      Bulkhead(10 + index),
    ];
    return callOf(
      policies.filter((_policy, bit) => ((index + 1) >> bit) & 1),
      async () => 1,
    );
  });
}
