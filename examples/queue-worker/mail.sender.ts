import { Injectable } from '@nestjs/common';
import { Bulkhead, CircuitBreaker, RateLimit, Timeout } from 'nestjs-bulwark';
import { resilientFetch } from 'nestjs-bulwark/http';

@Injectable()
export class MailSender {
  // There is no @Retry: BullMQ delivers a job again, and three attempts of five deliveries would be fifteen mails.
  @CircuitBreaker('mail', { volumeThreshold: 3, resetTimeout: 2_000 })
  // The provider allows ten a second. A job waits for its turn, rather than fail and come back.
  @RateLimit({ limit: 10, per: 1_000, onLimit: 'queue', maxWait: 5_000 })
  // What holds a slot of a bulkhead is what the end of the process waits for.
  @Bulkhead(5)
  @Timeout(15_000)
  async send(to: string): Promise<void> {
    await resilientFetch(process.env['MAIL_URL'] ?? 'http://127.0.0.1:8025/send', {
      method: 'POST',
      body: to,
      failOn: ({ ok }) => !ok, // else a 401 would be a mail that was sent
    });
  }
}
