import type { Logger } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { textOf } from '../port/error-text.js';
import type { FailoverEvent } from './failover-event.js';

/** Writes a line where something has changed; not for each of the events that come in great numbers. */
export function logChanges(events: Observable<FailoverEvent>, logger: Logger): void {
  let isQueuing = false;
  events.subscribe((event) => {
    switch (event.type) {
      case 'nodeDown':
        return logger.warn(
          `${event.node} is ${event.reason === 'readOnly' ? 'read-only' : 'down'}: ${textOf(event.error)}`,
        );
      case 'nodeUp':
        return logger.log(`${event.node} is back after ${Math.round(event.downMs)} ms`);
      case 'queued':
        if (!isQueuing) logger.warn(`writes are queued: ${textOf(event.error)}`);
        isQueuing = true;
        return;
      case 'replayed':
        if (event.length === 0) logger.log('the queue is empty');
        if (event.length === 0) isQueuing = false;
        return;
      case 'rejected':
        return logger.error(`${event.node} refused a write of ${JSON.stringify(event.key)}: ${textOf(event.error)}`);
      default:
        return;
    }
  });
}
