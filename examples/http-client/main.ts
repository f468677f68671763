import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { startProvider } from './provider.js';

// To have something to ask; a real app has the address of a real one.
process.env['WEATHER_URL'] ??= await startProvider();

const app = await NestFactory.create(AppModule);
await app.listen(process.env['PORT'] ?? 3000);
