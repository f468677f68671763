import { NestFactory } from '@nestjs/core';
import { drainOnSignals } from 'nestjs-bulwark';
import { AppModule } from './app.module.js';

const app = await NestFactory.create(AppModule);
// At SIGTERM the mails under way are sent first; BullMQ then takes no further job.
drainOnSignals(app);
await app.listen(process.env['PORT'] ?? 3000);
