import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

const app = await NestFactory.create(AppModule);
// Who ends in order is counted no more at once, and the others have its part of the limit.
app.enableShutdownHooks();
await app.listen(process.env['PORT'] ?? 3000);
