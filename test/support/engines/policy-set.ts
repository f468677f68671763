import type { PolicySet } from 'nestjs-bulwark';
import type { Errors, Stack, Substitute } from './script.js';

type Coded = { code?: unknown } | undefined;

/** The policies of a script, with the functions that its data names. */
export interface Policies {
  /** What stands in `forRoot({ policies })`. */
  readonly set: PolicySet;
  /** What only a decorator can say, since it names a method. */
  readonly fallback: object[] | undefined;
  readonly recover: object | undefined;
}

/** @param slowly a handler's answer that comes when the script says so. */
export function policiesOf(stack: Stack, slowly: () => unknown): Policies {
  const substitute = ({ answers, on }: { answers: Substitute; on: Errors }): object => ({
    ...answerOf(answers, slowly),
    ...(on === 'all' ? {} : { on: (error: unknown) => (error as Coded)?.code === on }),
  });
  const fallback = stack.fallback?.map(substitute);
  const recover = stack.recover && substitute(stack.recover);
  const byMethod = [...(stack.fallback ?? []), ...(stack.recover ? [stack.recover] : [])].some(
    ({ answers }) => answers === 'method',
  );
  const set: object = defined({
    fallback: byMethod ? undefined : fallback,
    recover: byMethod ? undefined : recover,
    timeout: stack.timeout && defined(stack.timeout),
    coalesce: stack.coalesce && { ...stack.coalesce, key: (key: string) => key },
    retry: stack.retry && retryOf(stack.retry),
    hedge: stack.hedge,
    circuitBreaker: stack.circuitBreaker && breakerOf(stack.circuitBreaker),
    rateLimit: stack.rateLimit && rateLimitOf(stack.rateLimit),
    bulkhead: stack.bulkhead && bulkheadOf(stack.bulkhead),
  });
  return { set, fallback: byMethod ? fallback : undefined, recover: byMethod ? recover : undefined };
}

function answerOf(answers: Substitute, slowly: () => unknown): object {
  switch (answers) {
    case 'value':
      return { value: 'the substitute' };
    case 'handler':
      return { use: (_error: unknown, call: { args: readonly unknown[] }) => `handled ${String(call.args[0])}` };
    case 'slow handler':
      return { use: slowly };
    case 'throwing handler':
      return {
        use: () => {
          throw Object.assign(new Error('the handler threw'), { code: 'DOWN' });
        },
      };
    case 'rejecting handler':
      return { use: () => Promise.reject(new Error('the handler rejected')) };
    case 'method':
      return { use: 'substitute' };
  }
}

function retryOf({ again, ...options }: NonNullable<Stack['retry']>): object {
  return defined({ ...options, retryOnResult: again ? (result: unknown) => result === 'again' : undefined });
}

function breakerOf({ answers, bad, filters, keyed, ...options }: NonNullable<Stack['circuitBreaker']>): object {
  return defined({
    ...options,
    answerOn: answers ? (error: unknown) => (error as Coded)?.code === 'DECLINED' : undefined,
    isFailure: bad ? (result: unknown) => result === 'bad' : undefined,
    errorFilter: filters ? (error: Coded) => error?.code === 'DOWN' : undefined,
    key: keyed ? (key: string) => key : undefined,
  });
}

function rateLimitOf({ keyed, ...options }: NonNullable<Stack['rateLimit']>): object {
  return defined({ ...options, key: keyed ? (key: string) => key : undefined });
}

function bulkheadOf({ ranked, ...options }: NonNullable<Stack['bulkhead']>): object {
  return defined({
    ...options,
    priority: ranked ? (call: { args: readonly unknown[] }) => call.args[1] as number : undefined,
  });
}

function defined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
