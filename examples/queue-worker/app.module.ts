import { BullModule, InjectQueue } from '@nestjs/bullmq';
import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { ResilienceModule } from 'nestjs-bulwark';
import { MAIL, MailProcessor } from './mail.processor.js';
import { MailSender } from './mail.sender.js';

@Controller('mails')
class MailsController {
  constructor(@InjectQueue(MAIL) private readonly queue: Queue) {}

  @Post()
  async add(@Body() { to }: { to: string }): Promise<{ id: string | undefined }> {
    const { id } = await this.queue.add('send', { to }, { attempts: 5, backoff: { type: 'exponential', delay: 200 } });
    return { id };
  }

  @Get()
  counts(): Promise<Record<string, number>> {
    return this.queue.getJobCounts();
  }
}

@Module({
  imports: [
    ResilienceModule.forRoot({ callContext: true, shutdown: { grace: 20_000 } }),
    BullModule.forRoot({ connection: { url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' } }),
    BullModule.registerQueue({ name: MAIL }),
  ],
  controllers: [MailsController],
  providers: [MailProcessor, MailSender],
})
export class AppModule {}
