import type { Logger } from '@nestjs/common';
import { Subject } from 'rxjs';
import { expect, it } from 'vitest';
import { logChanges } from '../../../../lib/data/failover/log-changes.js';
import type { FailoverEvent } from '../../../../lib/data/index.js';

it('writes a line for each change, not for each write', () => {
  const events = new Subject<FailoverEvent>();
  const lines: string[] = [];
  const write = (level: string) => (text: string) => lines.push(`${level} ${text}`);
  logChanges(events, { log: write('log'), warn: write('warn'), error: write('error') } as unknown as Logger);
  const error = new Error('refused');
  const write1 = { at: 1, key: 'a', version: '1' };
  events.next({ at: 1, type: 'nodeDown', node: 'primary', reason: 'unavailable', error });
  events.next({ ...write1, type: 'queued', length: 1, error });
  events.next({ ...write1, type: 'queued', length: 2, error });
  events.next({ at: 1, type: 'nodeUp', node: 'primary', downMs: 5 });
  events.next({ ...write1, type: 'replayed', length: 1, waitedMs: 1 });
  events.next({ ...write1, type: 'replayed', length: 0, waitedMs: 1 });
  events.next({ ...write1, type: 'conflict', winner: '2' });
  events.next({ ...write1, type: 'rejected', node: 'primary', error });
  events.next({ at: 1, type: 'nodeDown', node: 'primary', reason: 'readOnly', error });
  events.next({ ...write1, type: 'queued', length: 1, error });

  expect(lines).toEqual([
    'warn primary is down: refused',
    'warn writes are queued: refused',
    'log primary is back after 5 ms',
    'log the queue is empty',
    'error primary refused a write of "a": refused',
    'warn primary is read-only: refused',
    'warn writes are queued: refused',
  ]);
});
