import { Processor, WorkerHost } from '@nestjs/bullmq';
import { DelayedError, type Job } from 'bullmq';
import { CircuitOpenException } from 'nestjs-bulwark';
import { MailSender } from './mail.sender.js';

export const MAIL = process.env['MAIL_QUEUE'] ?? 'mail';

@Processor(MAIL, { concurrency: 5 })
export class MailProcessor extends WorkerHost {
  constructor(private readonly sender: MailSender) {
    super();
  }

  async process(job: Job<{ to: string }>, token?: string): Promise<void> {
    try {
      await this.sender.send(job.data.to);
    } catch (error) {
      if (!(error instanceof CircuitOpenException)) throw error;
      // Nothing was tried, so the job loses no attempt: it comes back when the breaker may let it through.
      await job.moveToDelayed(Date.now() + (error.retryAfterMs ?? 2_000), token);
      throw new DelayedError();
    }
  }
}
