import { describe, expect, it } from 'vitest';
import { EventBus } from '../../../lib/events/event-bus.js';
import type { ResilienceEvent, ResilienceEventBody } from '../../../lib/events/resilience-event.js';

const body: ResilienceEventBody = { type: 'success', name: 'payments', policy: 'circuitBreaker', latencyMs: 5 };

function setUp() {
  const errors: unknown[] = [];
  const bus = new EventBus(
    () => 1_234,
    (error) => errors.push(error),
  );
  const heard: ResilienceEvent[] = [];
  return { bus, errors, heard, listen: () => bus.subscribe((event) => heard.push(event)) };
}

describe('EventBus', () => {
  it('is active only while somebody listens', () => {
    const { bus, listen } = setUp();

    expect(bus.active).toBe(false);
    const [first, second] = [listen(), listen()];
    expect(bus.active).toBe(true);
    first();
    expect(bus.active).toBe(true);
    second();
    second();

    expect(bus.active).toBe(false);
  });

  it('sets the time of an event, unless its source did', () => {
    const { bus, heard, listen } = setUp();
    listen();

    bus.emit(body);
    bus.emit({ ...body, at: 99 });

    expect(heard).toEqual([
      { ...body, at: 1_234 },
      { ...body, at: 99 },
    ]);
  });

  it('gives whole ms', () => {
    const { bus, heard, listen } = setUp();
    listen();

    bus.emit({ ...body, at: 98.6 });
    bus.emit({ ...body, at: 99.4 });

    expect(heard.map(({ at }) => at)).toEqual([99, 99]);
  });

  it('says when nobody listens any more, each time', () => {
    const { bus, listen } = setUp();
    let times = 0;
    bus.onLastListener(() => times++);
    const [first, second] = [listen(), listen()];

    first();
    expect(times).toBe(0);
    second();
    second();
    expect(times).toBe(1);
    listen()();

    expect(times).toBe(2);
  });

  it('tells every listener, until he leaves', () => {
    const { bus, heard, listen } = setUp();
    const leave = listen();
    listen();

    bus.emit(body);
    leave();
    bus.emit(body);

    expect(heard).toHaveLength(3);
  });

  it('tells the others, when a listener throws, and says so', () => {
    const { bus, errors, heard, listen } = setUp();
    const error = new Error('mine');
    bus.subscribe(() => {
      throw error;
    });
    listen();

    bus.emit(body);

    expect(heard).toHaveLength(1);
    expect(errors).toEqual([error]);
  });

  it('lets listeners come and go, while an event is told', () => {
    const { bus, heard, listen } = setUp();
    const leave = bus.subscribe(() => {
      leave();
      listen();
    });

    bus.emit(body);
    bus.emit(body);

    expect(heard).toHaveLength(1);
  });

  it('builds nothing, when nobody listens', () => {
    const { bus, heard } = setUp();

    bus.emit(body);

    expect(heard).toEqual([]);
  });

  it('keeps calls from those who hear of changes alone', () => {
    const { bus, errors, heard, listen } = setUp();
    const changes: string[] = [];
    const leave = bus.watchChanges({
      changed: ({ type }) => changes.push(type),
      repeated: (type, name) => changes.push(`${type} ${name} again`),
    });
    const change = { type: 'shed', name: 'ingress', policy: 'systemProtection', reason: 'rate', details: {} } as const;

    expect([bus.active, bus.hearsChanges]).toEqual([false, true]);
    bus.emit(body);
    bus.emitChange(change);
    bus.repeat('shed', 'ingress');
    expect(changes).toEqual(['shed', 'shed ingress again']);

    listen();
    bus.emit(body);
    bus.emitChange(change);
    expect(heard.map(({ type }) => type)).toEqual(['success', 'shed']);
    leave();
    bus.emitChange(change);

    expect(changes).toEqual(['shed', 'shed ingress again', 'shed']);
    expect(errors).toEqual([]);
  });
});
