import { mkdir } from 'node:fs/promises';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

// SQLite makes its file, but not the folder of it.
await mkdir(process.env['DATA_DIR'] ?? '.data/example', { recursive: true });

const app = await NestFactory.create(AppModule);
// Closing lets the mirror have what waits for it, and releases the folders for the next process.
app.enableShutdownHooks();
await app.listen(process.env['PORT'] ?? 3000);
